//! Events and acknowledgements, in both directions.

use super::*;
use crate::client::{JoinError, SendError};

#[tokio::test]
async fn an_event_carries_its_position_to_the_application() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, mut updates) = client(&server)
            .transport(transport)
            .connect()
            .await
            .unwrap();
        say(&client, "order_update", stamped(1)).await;
        let event = within("the event", updates.next_event()).await.unwrap();
        assert_eq!(
            (event.name.as_str(), event.id.as_deref(), event.ts),
            ("order_update", Some("e1"), Some(1))
        );
        assert!(event.received_at > 1);
        assert_eq!(client.position().as_deref(), Some("p.1"));
    }
}

#[tokio::test]
async fn a_position_advances_when_the_event_is_received() {
    let server = Server::start().await;
    let (client, mut updates) = client(&server).since("p.0").connect().await.unwrap();
    client.emit("flood", 3).await.unwrap();
    ask(&client, "echo", json!("all three are in the queue")).await;
    assert_eq!(client.position().as_deref(), Some("p.0"));
    for n in 1..=3 {
        assert_eq!(event(&mut updates, "number").await["n"], n);
        assert_eq!(client.position(), Some(format!("p.{n}")));
    }
}

#[tokio::test]
async fn an_event_of_the_server_is_acknowledged() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, mut updates) = client(&server)
            .transport(transport)
            .connect()
            .await
            .unwrap();
        client.emit("ask_me", json!(null)).await.unwrap();
        let question = within("the question", updates.next_event()).await.unwrap();
        question
            .ack
            .expect("an ack is wanted")
            .respond(json!({"price": 450}))
            .await
            .unwrap();
        assert_eq!(event(&mut updates, "answered").await, json!({"price": 450}));
    }
}

#[tokio::test]
async fn an_acknowledgement_of_an_ended_connection_is_not_sent() {
    let server = Server::start().await;
    let (client, mut updates) = client(&server).connect().await.unwrap();
    client.emit("ask_me", json!(null)).await.unwrap();
    let question = within("the question", updates.next_event()).await.unwrap();
    client.drop_transport().await;
    next(&mut updates, "a connection", |update| {
        matches!(update, Update::Connected(_)).then_some(())
    })
    .await;
    assert_eq!(
        question.ack.unwrap().respond(1).await,
        Err(SendError::NotConnected)
    );
}

#[tokio::test]
async fn a_missing_acknowledgement_times_out() {
    let server = Server::start().await;
    let (client, _updates) = client(&server).connect().await.unwrap();
    let soon = Duration::from_millis(20);
    let answer = client.emit_with_ack("nobody_listens", 1, soon).await;
    assert_eq!(answer, Err(SendError::Timeout(soon)));
}

#[tokio::test]
async fn a_waiting_caller_is_interrupted_when_the_connection_ends() {
    let server = Server::start().await;
    let (client, _updates) = client(&server).connect().await.unwrap();
    let (answer, ()) = tokio::join!(
        client.emit_with_ack("nobody_listens", 1, TIMEOUT),
        client.drop_transport()
    );
    assert_eq!(answer, Err(SendError::Interrupted));
}

#[tokio::test]
async fn rooms_are_remembered_when_they_are_joined() {
    let server = Server::start().await;
    let (client, _updates) = client(&server).orders(["o1"]).connect().await.unwrap();
    assert_eq!(client.join_order("o2").await.unwrap().room, "order-o2");
    assert_eq!(
        client.join_order("secret").await,
        Err(JoinError::Refused("forbidden".into()))
    );
    assert_eq!(client.orders(), ["o1", "o2"]);
}

#[tokio::test]
async fn concurrent_requests_each_receive_their_own_acknowledgement() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, _updates) = client(&server)
            .transport(transport)
            .connect()
            .await
            .unwrap();
        let questions = (0..100).map(|n| ask(&client, "echo", json!(n)));
        let answers = within("the answers", futures_util::future::join_all(questions)).await;
        assert_eq!(
            answers,
            (0..100).map(|n| json!(n)).collect::<Vec<_>>(),
            "{transport:?}"
        );
    }
}
