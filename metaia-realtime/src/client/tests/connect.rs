//! Connections that succeed, and connections that fail.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::*;
use crate::client::{ClientCredentials, ConnectError, GaveUp, TokenIn};

#[tokio::test]
async fn every_transport_connects_and_closes() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, mut updates) = client(&server)
            .transport(transport)
            .connect()
            .await
            .unwrap();
        assert!(client.is_connected());
        assert_eq!(
            ask(&client, "echo", json!({"a": [1, "é\u{1e}"]})).await,
            json!({"a": [1, "é\u{1e}"]}),
            "{transport:?}"
        );
        within("the end", client.close()).await;
        next(&mut updates, "the disconnect", |update| {
            matches!(update, Update::Disconnected(_)).then_some(())
        })
        .await;
        assert!(updates.recv().await.is_none());
        assert!(!client.is_connected());
    }
}

#[tokio::test]
async fn an_offered_upgrade_is_taken() {
    let server = Server::start().await;
    let (client, _updates) = client(&server)
        .transport(Transport::Upgrade)
        .connect()
        .await
        .unwrap();
    within("the upgrade", async {
        while ask(&client, "transport", json!(null)).await != json!("Websocket") {}
    })
    .await;
    assert_eq!(
        ask(&client, "echo", json!("after it")).await,
        json!("after it")
    );
}

#[tokio::test]
async fn the_token_goes_where_it_is_wanted() {
    let server = Server::start().await;
    for token_in in [TokenIn::Both, TokenIn::Header, TokenIn::Payload] {
        client(&server).token_in(token_in).connect().await.unwrap();
    }
    let auths = server.auths();
    let seen: Vec<_> = auths
        .iter()
        .map(|auth| (auth.get("token").is_some(), !auth["header"].is_null()))
        .collect();
    assert_eq!(seen, [(true, true), (false, true), (true, false)]);
    assert_eq!(auths[0]["header"], "Bearer good");
}

#[tokio::test]
async fn credentials_are_asked_for_at_every_connection() {
    let server = Server::start().await;
    let asked = AtomicU64::new(0);
    let provider = move || {
        let n = asked.fetch_add(1, Ordering::Relaxed);
        async move { Ok(ClientCredentials::token(format!("token-{n}")).with("app", "tailor")) }
    };
    let (client, mut updates) = client(&server)
        .credentials(provider)
        .device("d1")
        .connect()
        .await
        .unwrap();
    for _ in 0..2 {
        next(&mut updates, "a connection", |update| {
            matches!(update, Update::Connected(_)).then_some(())
        })
        .await;
        client.drop_transport().await;
    }
    next(&mut updates, "a connection", |update| {
        matches!(update, Update::Connected(_)).then_some(())
    })
    .await;
    let auths = server.auths();
    let tokens: Vec<_> = auths.iter().map(|auth| auth["token"].clone()).collect();
    assert_eq!(tokens, ["token-0", "token-1", "token-2"]);
    assert!(
        auths
            .iter()
            .all(|auth| auth["app"] == "tailor" && auth["device"] == "d1")
    );
}

#[tokio::test]
async fn a_refusal_is_final_and_keeps_its_message() {
    let server = Server::start().await;
    for transport in ALL {
        let refused = client(&server)
            .token("bad")
            .transport(transport)
            .connect()
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, ConnectError::Refused { message, .. } if message == "unauthorized"),
            "{refused:?}"
        );
    }
    let (_client, mut updates) = client(&server).token("bad").start().unwrap();
    let gave_up = next(&mut updates, "the end", |update| match update {
        Update::GaveUp(reason) => Some(reason),
        _ => None,
    })
    .await;
    assert_eq!(
        gave_up,
        GaveUp::Refused {
            message: "unauthorized".into(),
            data: None
        }
    );
    assert!(updates.recv().await.is_none());
    assert_eq!(server.auths().len(), ALL.len() + 1, "no client reconnected");
}

#[tokio::test]
async fn an_address_without_a_server_is_an_error_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for transport in ALL {
        let error = Client::builder(&url)
            .transport(transport)
            .connect()
            .await
            .unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_address_without_socket_io_is_an_http_error() {
    let server = Server::start().await;
    for transport in ALL {
        let error = client(&server)
            .path("/nothing/")
            .transport(transport)
            .connect()
            .await
            .unwrap_err();
        assert!(
            matches!(error, ConnectError::Http { status: 404, .. }),
            "{error:?}"
        );
    }
}
