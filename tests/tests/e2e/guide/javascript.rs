//! The guide with `socket.io-client` in Node.

use metaia_tests::clients::driver::Driver;
use metaia_tests::fixtures::place_order;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::Server;
use serde_json::json;

#[tokio::test]
async fn a_new_order_is_announced() {
    super::a_new_order_is_announced(Driver::node()).await;
}

#[tokio::test]
async fn an_order_update_reaches_each_once() {
    super::an_order_update_reaches_each_once(Driver::node()).await;
}

#[tokio::test]
async fn the_order_room_receives_updates() {
    super::the_order_room_receives_updates(Driver::node()).await;
}

#[tokio::test]
async fn a_verified_payment_is_announced() {
    super::a_verified_payment_is_announced(Driver::node()).await;
}

#[tokio::test]
async fn a_tailors_status_is_announced() {
    super::a_tailors_status_is_announced(Driver::node()).await;
}

#[tokio::test]
async fn a_bad_token_is_refused() {
    assert_eq!(
        super::a_bad_token_is_refused(Driver::node()).await,
        "unauthorized"
    );
}

#[tokio::test]
async fn default_transports_upgrade_to_websocket() {
    let server = Server::start().await;
    let mut driver = Driver::node();
    driver.ready("c1", &server, &token("customer", "c1")).await;
    assert_eq!(driver.event("c1", "upgrade").await, "websocket");
    place_order(&server, "c1").await;
    driver.event("c1", "order_update").await;
}

#[tokio::test]
async fn each_transport_alone_serves() {
    let server = Server::start().await;
    let mut driver = Driver::node();
    for transport in ["polling", "websocket"] {
        let opts = json!({"transports": [transport], "auth": {"token": token("customer", "c1")}});
        driver.connect_with(transport, &server, &opts).await;
        driver.event(transport, "rt:ready").await;
    }
    place_order(&server, "c1").await;
    for transport in ["polling", "websocket"] {
        assert_eq!(
            driver.event(transport, "order_update").await["customer"],
            "c1"
        );
    }
}

#[tokio::test]
async fn the_token_in_auth_wins_over_the_header() {
    let server = Server::start().await;
    let mut driver = Driver::node();
    let header = format!("Bearer {}", token("customer", "header"));
    let opts = json!({
        "extraHeaders": {"Authorization": header},
        "auth": {"token": token("tailor", "payload")},
    });
    driver.connect_with("both", &server, &opts).await;
    let ready = driver.event("both", "rt:ready").await;
    assert_eq!(ready["userId"], "payload");
    assert_eq!(ready["role"], "tailor");
}

/// Connects, and joins 128 orders before the connection is there: the client library sends all of
/// them in one tick when it is.
async fn check_joins_its_rooms_on_connect(options: &serde_json::Value) {
    let server = Server::start().await;
    let mut driver = Driver::node();
    driver.connect_with("page", &server, options).await;
    let orders: Vec<_> = (0..128).map(|n| json!(format!("order{n}"))).collect();
    let ids = driver.burst("page", "join_order_room", &orders).await;
    let acks = driver.acks(128).await;
    let acked: Vec<u64> = acks.iter().map(|(id, _)| *id).collect();
    assert_eq!(acked, ids, "in order");
    // These orders do not exist. What matters is that each join is decided.
    let decided = |(_, ack): &(u64, serde_json::Value)| ack["code"] == "forbidden";
    assert!(acks.iter().all(decided), "{acks:?}");
    driver
        .burst("page", "leave_order_room", &orders[..20])
        .await;
    driver.acks(148).await;
    assert_eq!(driver.count("page", "disconnect"), 0);
    assert_eq!(driver.count("page", "connect"), 1);
}

#[tokio::test]
async fn a_page_that_joins_its_128_rooms_on_connect_gets_128_acks_in_order() {
    let auth = json!({"token": token("customer", "c1")});
    check_joins_its_rooms_on_connect(&json!({"auth": auth})).await;
    for transport in ["polling", "websocket"] {
        check_joins_its_rooms_on_connect(&json!({"auth": auth, "transports": [transport]})).await;
    }
}

#[tokio::test]
async fn a_new_token_keeps_the_connection() {
    for transport in ["polling", "websocket"] {
        let opts = json!({"transports": [transport]});
        super::a_new_token_keeps_the_connection(Driver::node(), opts).await;
    }
}

#[tokio::test]
async fn the_client_is_told_why_its_session_ends() {
    let server = Server::start().await;
    let mut driver = Driver::node();
    for transport in ["polling", "websocket"] {
        let opts = json!({"transports": [transport], "auth": {"token": token("customer", "c1")}});
        driver.connect_with(transport, &server, &opts).await;
        driver.event(transport, "rt:ready").await;
        let admin = server.admin();
        let list = admin.get("/api/realtime/sessions?user=c1").await.data(200);
        let id = list["sessions"][0]["id"].as_str().expect("an id");
        let path = format!("/api/realtime/sessions/{id}");
        admin.send("DELETE", &path, None).await.ok(200);
        let end = driver.event(transport, "rt:end").await;
        assert_eq!(end, json!({"code": "kicked"}));
        let reason = driver.event(transport, "disconnect").await;
        assert_eq!(reason, "io server disconnect", "it stays away");
    }
}
