//! Events beside the log.

use metaia_realtime::{Role, testing::TestServer};
use serde_json::json;

use crate::{
    order,
    support::{policy::Policy, raw_socket::Line},
    tick, user,
};

#[tokio::test]
async fn who_reads_gets_every_one_as_it_is() {
    let server = TestServer::start(|builder| builder).await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    server
        .realtime()
        .volatile()
        .send([user("c1"), user("c1")], ("at", json!([1, "here"])))
        .unwrap();
    assert_eq!(line.next().await.unwrap(), r#"42["at",[1,"here"]]"#);
    tick(server.realtime(), user("c1"), 1).await;
    assert!(line.next().await.unwrap().starts_with(r#"42["tick""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_late_gets_the_newest() {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({ "orders": ["o1"] })).await;
    // Within the credit window, so that the session stays live, and beyond what the kernel takes.
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
        last = line.until("42").await;
    }
}
