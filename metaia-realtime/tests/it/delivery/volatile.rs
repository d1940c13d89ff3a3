//! Volatile events, which bypass the log.

use metaia_realtime::{Role, testing::TestServer};
use serde_json::json;

use crate::support::{order, policy::Policy, raw_socket::RawSocket, tick, user};

#[tokio::test]
async fn a_client_that_reads_receives_every_volatile_event_unchanged() {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    server
        .realtime()
        .volatile()
        .send([user("c1"), user("c1")], ("at", json!([1, "here"])))
        .unwrap();
    assert_eq!(socket.next().await.unwrap(), r#"42["at",[1,"here"]]"#);
    tick(server.realtime(), user("c1"), 1).await;
    assert!(socket.next().await.unwrap().starts_with(r#"42["tick""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_late_receives_the_newest() {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let mut socket =
        RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({ "orders": ["o1"] }))
            .await;
    // Few enough for the credit window, so that the session stays live, and more bytes than the
    // kernel buffers.
    let text = "x".repeat(60_000);
    for i in 0..4 {
        let big = ("big", json!({ "i": i, "text": text }));
        server.realtime().send([user("c1")], big).await.unwrap();
    }
    for i in 0..1_000 {
        server
            .realtime()
            .volatile()
            .send([order("o1")], ("at", json!(i)))
            .unwrap();
    }
    let mut last = String::new();
    while last != r#"42["at",999]"# {
        last = socket.until("42").await;
    }
}
