//! Clients that know no positions. The server recognises them by their device or by their token's
//! id, and sends what they missed. Events that were in flight when the connection broke may arrive
//! twice, with the same id.

mod tabs;

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::faults::forwarder::Forwarder;
use metaia_tests::fixtures::token::{Token, in_seconds, token};
use metaia_tests::fixtures::{emit, id_of, place_order, raise_fence};
use metaia_tests::server::Server;
use serde_json::{Value, json};

/// Returns the `auth` of a client that has only a device.
fn by_device(user: &str, device: &str) -> Value {
    json!({"token": token("customer", user), "device": device})
}

/// Returns the `auth` of a client that has only a token with an id.
fn by_token_id(user: &str, id: &str) -> Value {
    let claims = json!({"userId": user, "role": "customer", "exp": in_seconds(3600), "jti": id});
    json!({"token": Token::with_claims(&claims).sign()})
}

/// Sends `load` events with these numbers to this user.
async fn send(server: &Server, user: &str, numbers: std::ops::RangeInclusive<u64>) {
    for n in numbers {
        emit(server, &json!({"user": user}), "load", &json!({"n": n})).await;
    }
}

/// Returns the numbers of the `load` events, without duplicates by id.
fn numbers(events: &[Event]) -> Vec<u64> {
    let mut ids = std::collections::BTreeSet::new();
    let loads = events.iter().filter(|event| event.name == "load");
    let fresh = loads.filter(|event| ids.insert(event.data["_rt"]["id"].to_string()));
    fresh
        .map(|event| event.data["n"].as_u64().unwrap())
        .collect()
}

/// Loses the connection, misses events, and reconnects by itself, twice.
async fn resumes_twice(mut driver: Driver, auth: Value) {
    let server = Server::start().await;
    let forwarder = Forwarder::to(&server).await;
    driver
        .connect_with("phone", &forwarder, &json!({"auth": auth}))
        .await;
    assert_eq!(
        driver.event("phone", "rt:ready").await["recovered"],
        false,
        "a first connection has nothing to resume"
    );
    let mut next = 1;
    for time in 2..=3 {
        send(&server, "c1", next..=next + 4).await;
        driver.nth("phone", "load", 5).await;
        forwarder.down();
        send(&server, "c1", next + 5..=next + 9).await;
        forwarder.up();
        assert_eq!(
            driver.nth("phone", "rt:ready", time).await["recovered"],
            true
        );
        next += 10;
    }
    raise_fence(&server).await;
    driver.event("phone", "test:fence").await;
    assert_eq!(
        numbers(&driver.events("phone")),
        (1..next).collect::<Vec<_>>(),
        "every event, in order"
    );
    assert_eq!(driver.count("phone", "rt:reset"), 0);
}

#[tokio::test]
async fn javascript_with_a_device_receives_what_it_missed() {
    resumes_twice(Driver::node(), by_device("c1", "d1")).await;
}

#[tokio::test]
async fn python_with_a_device_receives_what_it_missed() {
    resumes_twice(Driver::python(), by_device("c1", "d1")).await;
}

#[tokio::test]
async fn javascript_with_a_token_id_receives_what_it_missed() {
    resumes_twice(Driver::node(), by_token_id("c1", "j1")).await;
}

#[tokio::test]
async fn python_with_a_token_id_receives_what_it_missed() {
    resumes_twice(Driver::python(), by_token_id("c1", "j1")).await;
}

/// Disconnects and connects again in a new process. Returns the numbers received before `rt:ready`.
async fn missed_after_disconnect(start: fn() -> Driver) -> Vec<u64> {
    let server = Server::start().await;
    let mut driver = start();
    let opts = json!({"auth": by_device("c1", "d1")});
    driver.connect_with("phone", &server, &opts).await;
    driver.event("phone", "rt:ready").await;
    send(&server, "c1", 1..=5).await;
    driver.nth("phone", "load", 5).await;
    driver.disconnect("phone").await;
    server.wait_for_output("User disconnected: c1").await;
    driver.kill().await;
    send(&server, "c1", 6..=10).await;

    let mut driver = start();
    driver.connect_with("phone", &server, &opts).await;
    let ready = driver.event("phone", "rt:ready").await;
    assert_eq!(ready["recovered"], true, "{ready}");
    numbers(&driver.events("phone"))
}

#[tokio::test]
async fn javascript_that_disconnected_receives_exactly_what_it_missed() {
    assert_eq!(
        missed_after_disconnect(Driver::node).await,
        [6, 7, 8, 9, 10]
    );
}

/// `disconnect()` in Python closes the transport before its DISCONNECT is sent, so that the server
/// cannot know what the client still read.
#[tokio::test]
async fn python_that_closed_its_transport_receives_all_it_may_have_missed() {
    let got = missed_after_disconnect(Driver::python).await;
    assert!(got.ends_with(&[6, 7, 8, 9, 10]), "{got:?}");
}

#[tokio::test]
async fn order_rooms_are_remembered_with_the_device() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut phone = Phone::ready_with(&server, &by_device("c1", "d1")).await;
    assert_eq!(
        phone.call("join_order_room", &order["_id"]).await["status"],
        "ok"
    );
    phone.drop_connection();
    server.wait_for_output("User disconnected: c1").await;
    emit(
        &server,
        &json!({"order": order["_id"]}),
        "load",
        &json!({"n": 1}),
    )
    .await;

    let mut phone = Phone::connected(&server, &by_device("c1", "d1")).await;
    let events = phone.until("rt:ready").await;
    let room = json!(format!("order-{}", id_of(&order)));
    assert!(
        events.last().unwrap().data["rooms"]
            .as_array()
            .unwrap()
            .contains(&room),
        "{events:#?}"
    );
    assert_eq!(numbers(&events), [1]);
}

#[tokio::test]
async fn a_device_of_another_user_resumes_nothing() {
    let server = Server::start().await;
    Phone::ready_with(&server, &by_device("c1", "d1"))
        .await
        .drop_connection();
    server.wait_for_output("User disconnected: c1").await;
    send(&server, "c1", 1..=3).await;
    emit(
        &server,
        &json!({"role": "customer"}),
        "load",
        &json!({"n": 4}),
    )
    .await;
    for auth in [by_device("c2", "d1"), by_token_id("c2", "d1")] {
        let mut phone = Phone::connected(&server, &auth).await;
        let events = phone.until("rt:ready").await;
        assert_eq!(events.len(), 1, "nothing but `rt:ready`: {events:#?}");
        assert_eq!(events[0].data["recovered"], false);
    }
    let mut own = Phone::connected(&server, &by_device("c1", "d1")).await;
    assert_eq!(
        numbers(&own.until("rt:ready").await),
        [1, 2, 3, 4],
        "the owner of the device receives everything"
    );
}

#[tokio::test]
async fn a_position_wins_over_the_device() {
    let server = Server::start().await;
    let mut phone = Phone::ready_with(&server, &by_device("c1", "d1")).await;
    send(&server, "c1", 1..=4).await;
    let since = phone.until("load").await.pop().unwrap().at().to_owned();
    phone.drop_connection();
    let mut auth = by_device("c1", "d1");
    auth["since"] = json!(since);
    let mut phone = Phone::connected(&server, &auth).await;
    assert_eq!(numbers(&phone.until("rt:ready").await), [2, 3, 4]);
}

#[tokio::test]
async fn more_than_a_thousand_missed_events_are_a_reset() {
    let server = Server::start().await;
    let few = by_device("c1", "few");
    let many = by_device("c1", "many");
    Phone::ready_with(&server, &many).await.drop_connection();
    server.wait_for_output("User disconnected: c1").await;
    send(&server, "c1", 1..=1).await;
    Phone::ready_with(&server, &few).await.drop_connection();
    send(&server, "c1", 2..=1_001).await;

    let mut phone = Phone::connected(&server, &few).await;
    assert_eq!(
        numbers(&phone.until("rt:ready").await),
        (2..=1_001).collect::<Vec<_>>(),
        "a thousand missed events are replayed"
    );
    let mut phone = Phone::connected(&server, &many).await;
    let events = phone.until("rt:ready").await;
    assert_eq!(
        metaia_tests::fixtures::names(&events),
        ["rt:reset", "rt:ready"]
    );
    assert_eq!(events[0].data["reason"], "too_old");
}

#[tokio::test]
async fn a_phone_that_changes_its_network_loses_nothing_in_the_dead_connection() {
    let server = Server::start().await;
    let dead = Forwarder::to(&server).await;
    let _lost = Phone::ready_with(&dead, &by_device("c1", "d1")).await;
    dead.freeze();
    // The server is not notified of the freeze and still writes to the dead connection.
    send(&server, "c1", 1..=5).await;
    let mut phone = Phone::connected(&server, &by_device("c1", "d1")).await;
    let events = phone.until("rt:ready").await;
    assert_eq!(events.last().unwrap().data["recovered"], true);
    assert_eq!(numbers(&events), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_client_with_a_fixed_auth_resumes_after_a_hold() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let auth = json!({"token": token("customer", "c1"), "hold": "true"});
    let mut since = Value::Null;
    for round in 0..3_u64 {
        let mut phone = Phone::connected(&server, &auth).await;
        send(&server, "c1", round..=round).await;
        let answer = phone
            .call(
                "rt:resume",
                &json!({"since": since, "orders": [order["_id"]]}),
            )
            .await;
        assert_eq!(answer["status"], "ok", "{answer}");
        assert_eq!(answer["recovered"], round > 0, "{answer}");
        let mut events = phone.until("rt:ready").await;
        if round > 0 {
            assert_eq!(numbers(&events), [round], "only what it missed");
        }
        emit(&server, &json!({"order": order["_id"]}), "chat", &json!({})).await;
        events.extend(phone.until("chat").await);
        since = json!(events.last().unwrap().at());
    }
}
