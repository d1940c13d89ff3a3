//! `POST /api/realtime/emit`, with which any backend sends any event.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{all_until_now, emit, names, place_order};
use metaia_tests::server::{API_KEY, Server};
use serde_json::{Value, json};

#[tokio::test]
async fn each_target_reaches_only_its_users() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut people = Vec::new();
    for (role, user) in [
        ("customer", "c1"),
        ("customer", "c2"),
        ("tailor", "t1"),
        ("delivery", "d1"),
        ("admin", "a1"),
    ] {
        people.push((user, Phone::ready_as(&server, role, user).await));
    }
    people[0].1.call("join_order_room", &order["_id"]).await;
    for (target, event) in [
        (json!({"user": "c2"}), "to_c2"),
        (json!({"role": "customer"}), "to_customers"),
        (json!({"role": "tailor"}), "to_tailors"),
        (json!({"role": "delivery"}), "to_delivery"),
        (json!({"order": order["_id"]}), "to_order"),
        (json!("everyone"), "to_everyone"),
    ] {
        emit(&server, &target, event, &json!({"n": 1})).await;
    }
    metaia_tests::fixtures::raise_fence(&server).await;
    for (user, expected) in [
        ("c1", &["to_customers", "to_order", "to_everyone"][..]),
        ("c2", &["to_c2", "to_customers", "to_everyone"]),
        ("t1", &["to_tailors", "to_everyone"]),
        ("d1", &["to_delivery", "to_everyone"]),
        ("a1", &["to_everyone"]),
    ] {
        let (_, phone) = people.iter_mut().find(|(name, _)| *name == user).unwrap();
        let received = metaia_tests::fixtures::up_to_fence(phone).await;
        assert_eq!(names(&received), expected, "{user}");
    }
}

#[tokio::test]
async fn the_response_names_the_entry_that_arrives() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "tailor", "t1").await;
    let sent = emit(
        &server,
        &json!({"user": "t1"}),
        "hello:v1.2-x",
        &json!({"a": [1, {"b": null}]}),
    )
    .await;
    let received = phone.event("hello:v1.2-x").await;
    assert_eq!(received["a"], json!([1, {"b": null}]));
    assert_eq!(received["_rt"]["id"], sent["id"]);
    assert_eq!(received["_rt"]["at"], sent["at"]);
}

#[tokio::test]
async fn a_volatile_event_has_no_position_and_is_not_replayed() {
    let server = Server::start().await;
    let mut phone = Phone::connected(
        &server,
        &json!({"token": metaia_tests::fixtures::token::token("tailor", "t1")}),
    )
    .await;
    let since = phone.event("rt:ready").await["_rt"]["at"].clone();
    let body = json!({
        "to": {"user": "t1"},
        "event": "courier_at",
        "data": {"lat": 12.97},
        "volatile": true,
    });
    let sent = server
        .admin()
        .post("/api/realtime/emit", &body)
        .await
        .data(202);
    assert_eq!(sent, json!({}), "a volatile event has no id");
    assert_eq!(phone.event("courier_at").await, json!({"lat": 12.97}));

    let auth =
        json!({"token": metaia_tests::fixtures::token::token("tailor", "t1"), "since": since});
    let mut again = Phone::connected(&server, &auth).await;
    assert_eq!(names(&again.until("rt:ready").await), ["rt:ready"]);
}

#[tokio::test]
async fn the_newest_volatile_event_of_each_key_waits_for_a_client() {
    let server = Server::start().await;
    let token = metaia_tests::fixtures::token::token("tailor", "t1");
    let mut phone = Phone::connected(&server, &json!({"token": token, "hold": true})).await;
    for (i, key) in (1..).zip(["d1", "d2", "d1"]) {
        let body = json!({
            "to": {"user": "t1"}, "event": "courier_at", "data": i, "volatile": true, "key": key,
        });
        server
            .admin()
            .post("/api/realtime/emit", &body)
            .await
            .ok(202);
    }
    phone.call("rt:resume", &json!({})).await;
    assert_eq!(phone.event("courier_at").await, json!(3));
    assert_eq!(phone.event("courier_at").await, json!(2));
}

#[tokio::test]
async fn a_backend_emits_with_its_key() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "admin", "a1").await;
    let backend = server.anonymous().header("x-api-key", API_KEY);
    let body = json!({"to": {"role": "admin"}, "event": "stock_low", "data": {"sku": "thread"}});
    backend.post("/api/realtime/emit", &body).await.ok(202);
    assert_eq!(phone.event("stock_low").await["sku"], "thread");
}

#[tokio::test]
async fn an_invalid_event_is_refused() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let body =
        |to: Value, event: &str, data: Value| json!({"to": to, "event": event, "data": data});
    let user = || json!({"user": "c1"});
    let long = "e".repeat(65);
    for (name, body) in [
        ("an empty name", body(user(), "", json!({}))),
        ("a long name", body(user(), &long, json!({}))),
        ("a name with a space", body(user(), "a b", json!({}))),
        ("a name with a quote", body(user(), "a\"b", json!({}))),
        ("a reserved name", body(user(), "rt:ready", json!({}))),
        ("data that are an array", body(user(), "x", json!([1]))),
        ("data that are a text", body(user(), "x", json!("text"))),
        ("data that are null", body(user(), "x", json!(null))),
        (
            "an `_rt` of its own",
            body(user(), "x", json!({"_rt": {"at": "1"}})),
        ),
        (
            "data nested too deeply",
            body(
                user(),
                "x",
                (0..100).fold(json!({}), |inner, _| json!({"a": inner})),
            ),
        ),
        (
            "an unknown target",
            body(json!({"planet": "earth"}), "x", json!({})),
        ),
        ("an unknown word", body(json!("nobody"), "x", json!({}))),
        (
            "two targets",
            body(json!({"user": "c1", "role": "admin"}), "x", json!({})),
        ),
        ("no target", body(json!({}), "x", json!({}))),
        (
            "a malformed user",
            body(json!({"user": "a b"}), "x", json!({})),
        ),
        (
            "an unknown role",
            body(json!({"role": "superuser"}), "x", json!({})),
        ),
        (
            "a key of an event that is not volatile",
            json!({"to": user(), "event": "x", "data": {}, "key": "k"}),
        ),
        (
            "a key that is no text",
            json!({"to": user(), "event": "x", "data": {}, "volatile": true, "key": 7}),
        ),
        (
            "an unknown member",
            json!({"to": user(), "event": "x", "data": {}, "extra": 1}),
        ),
    ] {
        let answer = server.admin().post("/api/realtime/emit", &body).await;
        assert_eq!(answer.status, 422, "{name}: {answer:#?}");
        let problem = answer.refused(422);
        assert!(
            problem["errors"][0]["pointer"].is_string(),
            "{name}: {problem}"
        );
    }
    assert_eq!(all_until_now(&server, &mut phone).await, []);
}

#[tokio::test]
async fn event_names_of_the_client_library_are_refused() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        let body = json!({"to": "everyone", "event": name, "data": {}});
        server
            .admin()
            .post("/api/realtime/emit", &body)
            .await
            .refused(422);
    }
    assert_eq!(all_until_now(&server, &mut phone).await, []);
}
