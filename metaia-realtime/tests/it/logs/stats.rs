//! The counts of a node.

use metaia_realtime::{
    Role,
    testing::{TestServer, eventually},
};
use serde_json::json;

use crate::support::{
    limits,
    policy::Policy,
    raw_socket::{RawSocket, open_polling},
    tick, user,
};

#[tokio::test]
async fn each_occurrence_is_counted_once() {
    let server = TestServer::start(|builder| {
        builder
            .order_access(Policy::new())
            .allowed_origins(["https://ours.example"])
    })
    .await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    tick(server.realtime(), user("c1"), 1).await;
    let auth = json!({ "since": since, "orders": ["o1", "no order"] });
    let mut socket = RawSocket::connect(&server, Role::Customer, "c1", auth).await;
    socket.until(r#"42["rt:ready""#).await;
    socket.send(r#"42["nothing"]"#).await;
    socket.until(r#"42["rt:error",{"event":"nothing""#).await;
    tick(server.realtime(), user("c1"), 2).await;
    socket.until(r#"42["tick",{"i":2"#).await;
    server
        .realtime()
        .volatile()
        .broadcast(("at", [1, 2]))
        .unwrap();
    socket.until(r#"42["at""#).await;
    assert_eq!(
        open_polling(&server, "Origin: https://evil.example\r\n")
            .await
            .status,
        403
    );
    let mut reset =
        RawSocket::connect(&server, Role::Admin, "a1", json!({ "since": "nonsense" })).await;
    reset.until(r#"42["rt:reset""#).await;
    assert!(
        RawSocket::open(&server)
            .await
            .try_send(r#"40{"token":"nonsense"}"#)
            .await
    );
    let stats = || server.realtime().stats();
    eventually("the refusal", || {
        stats().connects_refused["unauthorized"] == 1
    })
    .await;

    let now = stats();
    assert_eq!(
        (now.sessions["customer"], now.sessions["admin"], now.users),
        (1, 1, 2)
    );
    assert_eq!((now.connects["customer"], now.connects["tailor"]), (1, 0));
    assert_eq!(now.handshakes_refused["origin_not_allowed"], 1);
    assert_eq!((now.joins["allowed"], now.joins["denied"]), (1, 0));
    assert_eq!(
        (
            now.events_refused["unknown_event"],
            now.events_refused["invalid_order_id"]
        ),
        (1, 1)
    );
    assert_eq!(now.resets["malformed"], 1);
    assert_eq!(
        (now.appended, now.dispatched, now.replayed, now.delivered),
        (3, 3, 1, 2)
    );
    assert_eq!((now.volatile_sent, now.log_head, now.lag), (1, 3, 0));
    assert!(now.catch_up_reads["window"] >= 2 && now.catch_up_reads["log"] == 0);

    server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    eventually("the end of the session", || stats().ends["kicked"] == 1).await;
    assert_eq!(stats().sessions["customer"], 0);
}

#[tokio::test]
async fn a_session_that_runs_out_of_credit_is_counted() {
    let few = limits(|limits| limits.window_entries = 4);
    let server = TestServer::start(|builder| builder.limits(few)).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    let entries = (0..100).map(|i| {
        metaia_realtime::NewEntry::event([user("c1")], ("tick", json!({ "i": i }))).unwrap()
    });
    server.realtime().publish(entries.collect()).await.unwrap();
    socket.until(r#"42["tick",{"i":99"#).await;
    let stats = server.realtime().stats();
    assert!(stats.credit_stalls >= 1, "{stats:?}");
    assert_eq!((stats.delivered, stats.dispatched), (100, 100));
}
