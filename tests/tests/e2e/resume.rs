//! Clients that reconnect with a position receive exactly what they missed, or a reset.

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{
    all_until_now, emit, id_of, names, place_order, place_order_at, raise_fence, set_status,
    up_to_fence,
};
use metaia_tests::server::Server;
use serde_json::{Value, json};

fn ids(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .map(|event| {
            event.data["_rt"]["id"]
                .as_str()
                .expect("a logged event has an id")
        })
        .collect()
}

/// Publishes what a client misses: to the order's room, the user, the role, everyone, and to
/// others.
async fn publish_missed_events(server: &Server, order: &str) {
    emit(
        server,
        &json!({"order": order}),
        "order_chat",
        &json!({"text": "one"}),
    )
    .await;
    set_status(server, order, "confirmed").await;
    emit(
        server,
        &json!({"user": "c1"}),
        "voucher",
        &json!({"code": "X"}),
    )
    .await;
    emit(server, &json!({"user": "c2"}), "not_for_c1", &json!({})).await;
    emit(
        server,
        &json!({"role": "customer"}),
        "sale",
        &json!({"percent": 10}),
    )
    .await;
    emit(server, &json!({"role": "tailor"}), "not_for_c1", &json!({})).await;
    emit(server, &json!("everyone"), "holiday", &json!({})).await;
    place_order(server, "c2").await;
    set_status(server, order, "in_progress").await;
}

#[tokio::test]
async fn a_killed_client_receives_exactly_what_it_missed() {
    let server = Server::start().await;
    for way in Way::ALL {
        check_killed_client(&server, Reached::by(way, &server)).await;
    }
}

async fn check_killed_client(server: &Server, reached: Reached<&Server>) {
    let order = place_order_at(server, "c1", "t1").await;
    let id = id_of(&order).to_owned();
    let mut witness = Phone::ready_as(&reached, "customer", "c1").await;
    let mut client = Phone::ready_as(&reached, "customer", "c1").await;
    for phone in [&mut witness, &mut client] {
        assert_eq!(
            phone.call("join_order_room", &json!(id)).await["status"],
            "ok"
        );
    }
    emit(server, &json!({"user": "c1"}), "before", &json!({})).await;
    witness.event("before").await;
    let since = client.until("before").await.pop().unwrap().at().to_owned();
    client.drop_connection();

    publish_missed_events(server, &id).await;
    let auth = json!({"token": token("customer", "c1"), "since": since, "orders": [id]});
    let mut client = Phone::connected(&reached, &auth).await;
    let mut replayed = client.until("rt:ready").await;
    let ready = replayed.pop().unwrap().data;
    assert_eq!(ready["recovered"], true, "{ready}");
    assert_eq!(ready["replayed"], replayed.len(), "{ready}");
    assert!(
        ready["rooms"]
            .as_array()
            .unwrap()
            .contains(&json!(format!("order-{id}"))),
        "{ready}"
    );

    raise_fence(server).await;
    let witnessed = up_to_fence(&mut witness).await;
    assert_eq!(
        ids(&replayed),
        ids(&witnessed),
        "{:?} but {:?}",
        names(&replayed),
        names(&witnessed)
    );
    assert!(names(&replayed).contains(&"order_chat") && !names(&replayed).contains(&"not_for_c1"));
    assert_eq!(
        up_to_fence(&mut client).await,
        [],
        "every event after `rt:ready` is live"
    );
}

#[tokio::test]
async fn a_client_that_missed_nothing_receives_nothing() {
    let server = Server::start().await;
    let mut client = Phone::ready_as(&server, "customer", "c1").await;
    emit(&server, &json!({"user": "c1"}), "last", &json!({})).await;
    let since = client.until("last").await.pop().unwrap().at().to_owned();
    let mut again = Phone::connected(
        &server,
        &json!({"token": token("customer", "c1"), "since": since}),
    )
    .await;
    let events = again.until("rt:ready").await;
    assert_eq!(names(&events), ["rt:ready"]);
    assert_eq!(events[0].data["recovered"], true);
    assert_eq!(events[0].data["replayed"], 0);
}

#[tokio::test]
async fn a_client_can_resume_from_the_position_of_rt_ready() {
    let server = Server::start().await;
    let mut client = Phone::connected(&server, &json!({"token": token("customer", "c1")})).await;
    let since = client.event("rt:ready").await["_rt"]["at"].clone();
    client.drop_connection();
    emit(&server, &json!({"user": "c1"}), "missed", &json!({})).await;
    let mut again = Phone::connected(
        &server,
        &json!({"token": token("customer", "c1"), "since": since}),
    )
    .await;
    assert_eq!(
        names(&again.until("rt:ready").await),
        ["missed", "rt:ready"]
    );
}

/// Connects with a position that the server cannot resume from and returns the reason of the reset.
async fn reset_reason(server: &Server, since: &Value) -> String {
    let mut client = Phone::connected(
        server,
        &json!({"token": token("customer", "c1"), "since": since}),
    )
    .await;
    let events = client.until("rt:ready").await;
    assert_eq!(names(&events), ["rt:reset", "rt:ready"], "since {since}");
    assert_eq!(events[1].data["recovered"], false);
    assert!(
        !events[0].at().is_empty(),
        "a reset has a position to continue from: {events:#?}"
    );
    emit(server, &json!({"user": "c1"}), "live", &json!({})).await;
    client.event("live").await;
    events[0].data["reason"]
        .as_str()
        .expect("a reason")
        .to_owned()
}

async fn some_position(server: &Server) -> String {
    emit(server, &json!("everyone"), "something", &json!({})).await["at"]
        .as_str()
        .expect("a position")
        .to_owned()
}

#[tokio::test]
async fn a_position_of_another_epoch_is_reset() {
    let server = Server::start().await;
    let other = Server::start().await;
    let since = some_position(&other).await;
    some_position(&server).await;
    assert_eq!(reset_reason(&server, &json!(since)).await, "epoch_changed");
}

#[tokio::test]
async fn a_position_beyond_the_log_is_reset() {
    let server = Server::start().await;
    let at = some_position(&server).await;
    let (start, _) = at.rsplit_once('.').expect("epoch-check.n");
    assert_eq!(
        reset_reason(&server, &json!(format!("{start}.999999"))).await,
        "ahead"
    );
}

#[tokio::test]
async fn a_malformed_position_is_reset() {
    let server = Server::start().await;
    let long = "1".repeat(3_000);
    for bad in [
        json!(""),
        json!("banana"),
        json!("a-b.c"),
        json!("1-2.-3"),
        json!(long),
        json!(7),
        json!({}),
        json!([1]),
    ] {
        assert_eq!(reset_reason(&server, &bad).await, "malformed", "{bad}");
    }
}

#[tokio::test]
async fn a_foreign_order_in_auth_is_refused_and_the_rest_is_served() {
    let server = Server::start().await;
    let mine = place_order(&server, "c1").await;
    let foreign = place_order(&server, "c2").await;
    let at = some_position(&server).await;
    emit(
        &server,
        &json!({"order": mine["_id"]}),
        "for_mine",
        &json!({}),
    )
    .await;
    emit(
        &server,
        &json!({"order": foreign["_id"]}),
        "for_foreign",
        &json!({}),
    )
    .await;

    let auth = json!({
        "token": token("customer", "c1"),
        "since": at,
        "orders": [mine["_id"], foreign["_id"]],
    });
    let mut client = Phone::connected(&server, &auth).await;
    let events = client.until("rt:ready").await;
    let refused = events
        .iter()
        .find(|event| event.name == "rt:error")
        .expect("the refusal is sent");
    assert_eq!(refused.data["code"], "forbidden");
    assert_eq!(refused.data["ref"], foreign["_id"]);
    assert!(
        names(&events).contains(&"for_mine") && !names(&events).contains(&"for_foreign"),
        "{events:#?}"
    );

    emit(
        &server,
        &json!({"order": foreign["_id"]}),
        "for_foreign",
        &json!({}),
    )
    .await;
    assert_eq!(all_until_now(&server, &mut client).await, []);
}

#[tokio::test]
async fn a_join_with_a_position_replays_the_room() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let at = some_position(&server).await;
    let room = json!({"order": order["_id"]});
    emit(&server, &room, "chat", &json!({"n": 1})).await;
    emit(&server, &room, "chat", &json!({"n": 2})).await;
    let mut client = Phone::ready_as(&server, "customer", "c1").await;
    let joined = client
        .call(
            "join_order_room",
            &json!({"orderId": order["_id"], "since": at}),
        )
        .await;
    assert_eq!(joined["recovered"], true, "{joined}");
    assert_eq!(joined["replayed"], 2, "{joined}");
    let received = all_until_now(&server, &mut client).await;
    assert_eq!(
        received
            .iter()
            .map(|event| event.data["n"].clone())
            .collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn the_official_client_resumes_after_its_connection_was_lost() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut driver = Driver::node();
    let resume = json!({"token": token("customer", "c1"), "orders": [order["_id"]]});
    driver
        .connect_with("phone", &server, &json!({"resume": resume}))
        .await;
    driver.event("phone", "rt:ready").await;
    for n in 1..=20 {
        if n % 5 == 1 {
            driver.drop_connection("phone").await;
        }
        emit(
            &server,
            &json!({"order": order["_id"]}),
            "tick",
            &json!({"n": n}),
        )
        .await;
        if n % 5 == 0 {
            driver.nth("phone", "rt:ready", 1 + n / 5).await;
        }
    }
    raise_fence(&server).await;
    driver.event("phone", "test:fence").await;
    let events = driver.events("phone");
    let ticks = events.iter().filter(|event| event.name == "tick");
    let mut numbers: Vec<_> = ticks.map(|tick| tick.data["n"].clone()).collect();
    // The client keeps an event that comes while it closes until it is connected again, and has
    // not counted it when it sends its position.
    numbers.dedup();
    assert_eq!(json!(numbers), json!((1..=20).collect::<Vec<_>>()));
    assert_eq!(driver.count("phone", "rt:reset"), 0);
}

#[tokio::test]
async fn the_official_client_resumes_after_its_process_was_killed() {
    let server = Server::start().await;
    let mut driver = Driver::node();
    driver
        .ready("phone", &server, &token("customer", "c1"))
        .await;
    emit(&server, &json!({"user": "c1"}), "seen", &json!({})).await;
    let since = driver.event("phone", "seen").await["_rt"]["at"].clone();
    driver.kill().await;
    emit(&server, &json!({"user": "c1"}), "missed", &json!({"n": 1})).await;

    let mut driver = Driver::node();
    let resume = json!({"token": token("customer", "c1"), "since": since});
    driver
        .connect_with("phone", &server, &json!({"resume": resume}))
        .await;
    assert_eq!(driver.event("phone", "rt:ready").await["replayed"], 1);
    assert_eq!(driver.event("phone", "missed").await["n"], 1);
    assert_eq!(driver.count("phone", "seen"), 0);
}
