//! Clients that reconnect, and clients that give up.

use std::sync::atomic::Ordering;

use super::*;
use crate::client::{ConnectError, DisconnectReason, GaveUp, SendError};

#[tokio::test]
async fn a_lost_connection_is_resumed_by_position_and_rooms() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, mut updates) = client(&server)
            .transport(transport)
            .connect()
            .await
            .unwrap();
        client.join_order("o1").await.unwrap();
        say(&client, "order_update", stamped(7)).await;
        event(&mut updates, "order_update").await;
        client.drop_transport().await;
        let reason = next(&mut updates, "the end", |update| match update {
            Update::Disconnected(reason) => Some(reason),
            _ => None,
        });
        assert_eq!(reason.await, DisconnectReason::Dropped);
        let again = next(&mut updates, "a connection", |update| match update {
            Update::Connected(connected) => Some(connected),
            _ => None,
        });
        let again = again.await;
        assert_eq!((again.reconnects, again.since.as_deref()), (1, Some("p.7")));
        let auth = server.auths().pop().unwrap();
        assert_eq!(
            (&auth["since"], &auth["orders"]),
            (&json!("p.7"), &json!(["o1"])),
            "{transport:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again() {
    for transport in ALL {
        let server = Server::start().await;
        let forever = Reconnect {
            max_attempts: None,
            ..Reconnect::default()
        };
        let quick = Reconnect {
            min: Duration::from_millis(1),
            max: Duration::from_millis(5),
            ..forever
        };
        let (client, mut updates) = client(&server)
            .transport(transport)
            .reconnect(quick)
            .connect()
            .await
            .unwrap();
        client.join_order("o1").await.unwrap();
        let address = server.url().trim_start_matches("http://").to_owned();
        drop(server);
        next(&mut updates, "the end", |update| {
            matches!(update, Update::Disconnected(_)).then_some(())
        })
        .await;
        let server = Server::start_at(&address).await;
        next(&mut updates, "a connection", |update| {
            matches!(update, Update::Connected(_)).then_some(())
        })
        .await;
        assert_eq!(server.auths()[0]["orders"], json!(["o1"]), "{transport:?}");
    }
}

#[tokio::test]
async fn a_client_without_resume_sends_no_position_and_no_rooms() {
    let server = Server::start().await;
    let (client, mut updates) = client(&server)
        .resume(false)
        .orders(["o1"])
        .connect()
        .await
        .unwrap();
    say(&client, "order_update", stamped(7)).await;
    event(&mut updates, "order_update").await;
    client.drop_transport().await;
    next(&mut updates, "a connection", |update| {
        matches!(update, Update::Connected(_)).then_some(())
    })
    .await;
    let auth = server.auths().pop().unwrap();
    assert!(
        auth.get("since").is_none() && auth.get("orders").is_none(),
        "{auth}"
    );
}

#[tokio::test]
async fn a_disconnect_by_the_server_is_final() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, mut updates) = client(&server)
            .transport(transport)
            .connect()
            .await
            .unwrap();
        client.emit("kick", json!(null)).await.unwrap();
        let gave_up = next(&mut updates, "the end", |update| match update {
            Update::GaveUp(reason) => Some(reason),
            _ => None,
        });
        assert_eq!(gave_up.await, GaveUp::ServerDisconnect);
        assert!(updates.recv().await.is_none());
        assert_eq!(client.emit("echo", 1).await, Err(SendError::Closed));
    }
}

#[tokio::test]
async fn a_busy_server_is_retried_after_its_retry_after() {
    let server = Server::start().await;
    for transport in ALL {
        server.busy.store(1, Ordering::Release);
        let (_client, mut updates) = client(&server).transport(transport).start().unwrap();
        let retrying = next(&mut updates, "another attempt", |update| match update {
            Update::Retrying(retrying) => Some(retrying),
            _ => None,
        });
        let retrying = retrying.await;
        assert!(
            retrying.delay >= Duration::from_secs(3),
            "{:?}",
            retrying.delay
        );
        let error = retrying.error.unwrap();
        let ConnectError::Http { status, detail, .. } = &*error else {
            panic!("{error:?}")
        };
        assert_eq!((*status, detail.as_str()), (503, "draining"));
    }
}

#[tokio::test]
async fn a_draining_server_delays_the_reconnect() {
    let server = Server::start().await;
    let (client, mut updates) = client(&server).connect().await.unwrap();
    say(&client, "rt:drain", json!({"retryInMs": 60_000})).await;
    event(&mut updates, "rt:drain").await;
    client.drop_transport().await;
    let delay = next(&mut updates, "another attempt", |update| match update {
        Update::Retrying(retrying) => Some(retrying.delay),
        _ => None,
    });
    assert!(delay.await >= Duration::from_secs(60));
    assert_eq!(client.emit("echo", 1).await, Err(SendError::NotConnected));
    within("the end", client.close()).await;
}

#[tokio::test(start_paused = true)]
async fn the_delays_between_attempts_grow() {
    let failing = || async { Err::<crate::client::ClientCredentials, _>("no token".into()) };
    let reconnect = Reconnect {
        max_attempts: Some(4),
        ..Reconnect::default()
    };
    let (_client, mut updates) = Client::builder("http://localhost")
        .credentials(failing)
        .reconnect(reconnect)
        .start()
        .unwrap();
    let start = tokio::time::Instant::now();
    let mut delays = Vec::new();
    let last = loop {
        match updates.recv().await.unwrap() {
            Update::Retrying(retrying) => delays.push(retrying.delay),
            Update::GaveUp(reason) => break reason,
            other => panic!("{other:?}"),
        }
    };
    let bounds = [(0.5, 1.5), (1.0, 3.0), (2.0, 5.0), (2.5, 5.0)];
    for (delay, (min, max)) in delays.iter().zip(bounds) {
        assert!((min..=max).contains(&delay.as_secs_f64()), "{delays:?}");
    }
    assert_eq!(delays.len(), 4);
    assert!(start.elapsed() >= delays.iter().sum::<Duration>());
    assert_eq!(
        last,
        GaveUp::Exhausted {
            last_error: "the credentials could not be obtained: no token".into()
        }
    );
}
