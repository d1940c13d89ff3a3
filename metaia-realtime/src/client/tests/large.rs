//! Packets that are larger than the client takes.

use super::*;
use crate::client::SendError;

/// The limit of these clients, in bytes.
const LIMIT: usize = 1024;

/// Returns the data of an event with eight times the size of the limit.
fn large(n: u64) -> Value {
    let mut data = stamped(n);
    data["x"] = json!("x".repeat(8 * LIMIT));
    data
}

async fn too_large(updates: &mut Updates) -> Option<String> {
    next(updates, "a large event", |update| match update {
        Update::TooLarge { at } => Some(at),
        Update::Event(event) => panic!("{} came instead", event.name),
        Update::Disconnected(reason) => panic!("the connection ended: {reason}"),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_large_event_is_told_and_passed_over() {
    let server = Server::start().await;
    for transport in ALL {
        let builder = client(&server).transport(transport).max_message(LIMIT);
        let (client, mut updates) = builder.connect().await.unwrap();
        for n in [1, 2] {
            say(&client, "large", large(n)).await;
            assert_eq!(too_large(&mut updates).await, Some(format!("p.{n}")));
            assert_eq!(client.position(), Some(format!("p.{n}")));
        }
        say(&client, "small", stamped(3)).await;
        assert_eq!(event(&mut updates, "small").await["n"], 3, "{transport:?}");
    }
}

#[tokio::test]
async fn a_client_resumes_after_a_large_event() {
    let server = Server::start().await;
    let builder = client(&server).max_message(LIMIT);
    let (client, mut updates) = builder.connect().await.unwrap();
    say(&client, "large", large(7)).await;
    too_large(&mut updates).await;
    client.drop_transport().await;
    let again = next(&mut updates, "a connection", |update| match update {
        Update::Connected(connected) => Some(connected),
        _ => None,
    });
    assert_eq!(again.await.since.as_deref(), Some("p.7"));
}

#[tokio::test]
async fn a_large_event_without_a_position_ends_nothing() {
    let server = Server::start().await;
    for transport in ALL {
        let builder = client(&server).transport(transport).max_message(LIMIT);
        let (client, mut updates) = builder.connect().await.unwrap();
        say(&client, "large", "x".repeat(8 * LIMIT)).await;
        assert_eq!(too_large(&mut updates).await, None, "{transport:?}");
        say(&client, "small", stamped(1)).await;
        event(&mut updates, "small").await;
    }
}

#[tokio::test]
async fn a_large_event_that_comes_twice_is_told_once() {
    let server = Server::start().await;
    let builder = client(&server).max_message(LIMIT).dedupe(8);
    let (client, mut updates) = builder.connect().await.unwrap();
    for n in [1, 1, 2] {
        say(&client, "large", large(n)).await;
    }
    assert_eq!(too_large(&mut updates).await.as_deref(), Some("p.1"));
    assert_eq!(too_large(&mut updates).await.as_deref(), Some("p.2"));
}

#[tokio::test]
async fn a_large_acknowledgement_is_an_error_of_its_caller() {
    let server = Server::start().await;
    for transport in ALL {
        let builder = client(&server).transport(transport).max_message(LIMIT);
        let (client, _updates) = builder.connect().await.unwrap();
        let answer = client.emit_with_ack("echo", "x".repeat(8 * LIMIT), TIMEOUT);
        assert_eq!(answer.await, Err(SendError::AckTooLarge), "{transport:?}");
        assert_eq!(ask(&client, "echo", json!("small")).await, "small");
    }
}

/// A poll may be answered with more packets than the largest packet has bytes.
#[tokio::test]
async fn a_polling_answer_may_be_of_any_length() {
    let server = Server::start().await;
    let builder = client(&server)
        .transport(Transport::Polling)
        .max_message(256);
    let (client, mut updates) = builder.connect().await.unwrap();
    client.emit("flood", 500).await.unwrap();
    for n in 1..=500 {
        assert_eq!(event(&mut updates, "number").await["n"], n);
    }
}

/// The server says that it takes 100,000 bytes. By WebSocket it takes more.
#[tokio::test]
async fn an_event_that_ended_the_connection_by_its_size_says_so() {
    let server = Server::start().await;
    let large = json!("x".repeat(150_000));
    let (polling, _updates) = client(&server)
        .transport(Transport::Polling)
        .connect()
        .await
        .unwrap();
    let answer = polling.emit_with_ack("echo", &large, TIMEOUT).await;
    let Err(SendError::TooLarge { bytes, limit }) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(limit, 100_000);
    assert_eq!(bytes, r#"420["echo",""]"#.len() + 150_000);
    let (websocket, _updates) = client(&server).connect().await.unwrap();
    assert_eq!(ask(&websocket, "echo", large.clone()).await, large);
    let (small, large, ()) = tokio::join!(
        websocket.emit_with_ack("nobody_listens", 1, TIMEOUT),
        websocket.emit_with_ack("nobody_listens", &large, TIMEOUT),
        websocket.drop_transport()
    );
    assert_eq!(small, Err(SendError::Interrupted));
    assert!(
        matches!(large, Err(SendError::TooLarge { .. })),
        "{large:?}"
    );
}

/// The transports refuse a message that is larger than the limit and 64 KiB, so that this one
/// passes only if it is not kept.
#[tokio::test]
async fn an_event_of_6_mib_is_told_and_not_kept() {
    let server = Server::start().await;
    for transport in ALL {
        let builder = client(&server).transport(transport).max_message(LIMIT);
        let (client, mut updates) = builder.connect().await.unwrap();
        client.emit("say_large", json!(6 << 20)).await.unwrap();
        assert_eq!(too_large(&mut updates).await.as_deref(), Some("p.1"));
        assert_eq!(client.position().as_deref(), Some("p.1"));
        say(&client, "small", stamped(2)).await;
        assert_eq!(event(&mut updates, "small").await["n"], 2, "{transport:?}");
        let echo = ask(&client, "echo", json!("x")).await;
        assert_eq!(echo, json!("x"), "{transport:?}");
    }
}
