//! The setting that selects the transports.

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::{HANDSHAKE, Polling};
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::fixtures::emit;
use metaia_tests::fixtures::token::{Token, in_seconds, token};
use metaia_tests::server::{Server, Setup};
use serde_json::json;

#[tokio::test]
async fn a_phone_of_each_way_receives_and_calls() {
    let server = Server::start().await;
    for way in Way::ALL {
        let reached = Reached::by(way, &server);
        let mut phone = Phone::ready_as(&reached, "customer", "c1").await;
        let answer = phone.call("leave_order_room", &json!("o1")).await;
        assert_eq!(answer["status"], "ok", "{way:?}");
        emit(&server, &json!({"user": "c1"}), "load", &json!({})).await;
        phone.event("load").await;
        assert_eq!(phone.has_websocket(), way != Way::Polling, "{way:?}");
    }
}

#[tokio::test]
async fn polling_alone_carries_everything() {
    let server = Server::start().await;
    let polling = Polling::open(&server.anonymous().bearer(&token("customer", "c1"))).await;
    polling.send("40").await.ok(200);
    let mut received = String::new();
    while !received.contains("rt:ready") {
        let answer = polling.receive().await;
        answer.ok(200);
        received.push_str(&answer.text);
        if answer.text.contains('2') {
            polling.send("3").await;
        }
    }
    assert!(received.contains("user-c1"), "{received}");
}

#[tokio::test]
async fn websocket_only_refuses_polling() {
    let server = Setup::new()
        .env("METAIA_TRANSPORTS", "websocket")
        .start()
        .await;
    let refused = server.anonymous().get(HANDSHAKE).await;
    refused.ok(400);
    Phone::ready_as(&server, "customer", "c1").await;
}

#[tokio::test]
async fn a_polling_session_ends_with_its_token() {
    let server = Server::start().await;
    let claims = json!({"userId": "c1", "role": "customer", "exp": in_seconds(3)});
    let short_lived = Token::with_claims(&claims).sign();
    let mut driver = Driver::node();
    let opts =
        json!({"transports": ["polling"], "auth": {"token": short_lived}, "reconnection": false});
    driver.connect_with("c1", &server, &opts).await;
    driver.event("c1", "rt:ready").await;
    let reason = driver.event("c1", "disconnect").await;
    assert_ne!(
        reason, "io server disconnect",
        "clients would not reconnect after that"
    );
}

#[tokio::test]
async fn events_of_any_name_and_binary_are_refused_and_the_connection_stays() {
    let server = Server::start().await;
    for mut driver in [
        Driver::node(),
        Driver::python(),
        Driver::python_by_polling(),
    ] {
        driver.ready("c1", &server, &token("customer", "c1")).await;
        for name in ["größe", "a\"b", "back\\slash", "😀"] {
            let answer = driver.call("c1", name, &json!({"text": "ü"})).await;
            assert_eq!(answer["code"], "unknown_event", "{name}");
        }
        let answer = driver.call("c1", "leave_order_room", &json!("o1")).await;
        assert_eq!(answer["status"], "ok");
        assert_eq!(driver.count("c1", "disconnect"), 0);
    }
    let mut driver = Driver::node();
    driver.ready("c1", &server, &token("customer", "c1")).await;
    for event in ["upload", "join_order_room"] {
        let answer = driver.call_with_bytes("c1", event).await;
        assert_eq!(answer["status"], "error", "{event}");
    }
    let answer = driver.call("c1", "leave_order_room", &json!("o1")).await;
    assert_eq!(answer["status"], "ok");
    assert_eq!(driver.count("c1", "disconnect"), 0);
}

#[tokio::test]
async fn python_polls_a_long_replay() {
    const EVENTS: usize = 200;
    let server = Server::start().await;
    let first = emit(&server, &json!({"user": "c1"}), "load", &json!({"n": 0})).await;
    for n in 1..=EVENTS {
        emit(&server, &json!({"user": "c1"}), "load", &json!({"n": n})).await;
    }
    let mut driver = Driver::python_by_polling();
    let resume = json!({"token": token("customer", "c1"), "since": first["at"]});
    driver
        .connect_with("c1", &server, &json!({"resume": resume}))
        .await;
    let ready = driver.event("c1", "rt:ready").await;
    assert_eq!(ready["recovered"], true);
    let events = driver.events("c1");
    let numbers = events.iter().filter(|event| event.name == "load");
    let numbers: Vec<_> = numbers
        .map(|event| event.data["n"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=EVENTS as u64).collect::<Vec<_>>());
    assert_eq!(driver.count("c1", "disconnect"), 0);
}
