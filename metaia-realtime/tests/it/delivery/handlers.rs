//! Embedders' own events.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use metaia_realtime::{
    EventContext, HandlerError, Role,
    client::Update,
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{SOON, event, next, support::raw_socket::Line, tick, ticks, user};

#[tokio::test]
async fn events_are_handled_one_at_a_time_and_in_order_while_deliveries_go_on() {
    let (gate, running) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (in_handler, ran) = (Arc::clone(&gate), Arc::clone(&running));
    let server = TestServer::start(|builder| {
        builder.on("work", move |_: EventContext, i: u64| {
            let (gate, running) = (Arc::clone(&in_handler), Arc::clone(&ran));
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                gate.acquire().await.unwrap().forget();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, HandlerError>(i)
            }
        })
    })
    .await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    for i in 0..20 {
        line.send(format!(r#"42{i}["work",{i}]"#)).await;
    }
    eventually("the first to begin", || running.load(Ordering::SeqCst) == 1).await;
    tick(server.realtime(), user("c1"), 7).await;
    assert!(line.until("42").await.contains(r#""i":7"#));
    gate.add_permits(20);
    for i in 0..20 {
        assert_eq!(line.until("43").await, format!("43{i}[{i}]"));
    }
}

#[tokio::test]
async fn what_cannot_be_handled_is_refused_and_harms_nobody() {
    let server = TestServer::start(|b| {
        b.on("sum", |_, n: Vec<u64>| async move {
            Ok::<_, HandlerError>(n.iter().sum::<u64>())
        })
    })
    .await;
    let (client, mut updates) = server.client(Role::Customer, "c1").await;
    let ask = async |name: &str, data: Value| client.emit_with_ack(name, data, SOON).await.unwrap();
    assert_eq!(ask("sum", json!([1, 2])).await, json!(3));
    assert_eq!(
        ask("sum", json!("text")).await,
        json!({ "status": "error", "code": "malformed" })
    );
    assert_eq!(
        ask("nothing", json!(1)).await,
        json!({ "status": "error", "code": "unknown_event" })
    );
    assert_eq!(
        ask("join_order_room", json!(5)).await,
        json!({ "status": "error", "code": "invalid_order_id" })
    );
    client.emit("nothing", json!(1)).await.unwrap();
    let error = event(&mut updates, "rt:error").await.data;
    assert_eq!(
        (&error["event"], &error["code"]),
        (&json!("nothing"), &json!("unknown_event"))
    );
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_session_and_the_client_comes_back() {
    let server = TestServer::start(|builder| {
        builder.on("boom", |_: EventContext, boom: bool| async move {
            assert!(!boom, "as the test wants it");
            Ok::<_, HandlerError>(boom)
        })
    })
    .await;
    let (client, mut updates) = server.client(Role::Customer, "c1").await;
    client.emit("boom", true).await.unwrap();
    crate::disconnected(&mut updates).await;
    next(&mut updates, "the next connection", |u| {
        matches!(u, Update::Connected(_)).then_some(())
    })
    .await;
    tick(server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
    assert_eq!(server.realtime().local_sessions().len(), 1);
}
