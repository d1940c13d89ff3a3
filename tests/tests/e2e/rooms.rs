//! Access to an order's room: decided at the join, and again when the order is reassigned.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::fixtures::{
    NO_ORDER, all_until_now, assign, emit, id_of, names, place_order, place_order_at, set_status,
};
use metaia_tests::server::Server;
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_starts_in_the_rooms_of_its_role_and_its_user() {
    let server = Server::start().await;
    for (role, room) in [
        ("customer", "customer-room"),
        ("admin", "admin-room"),
        ("tailor", "tailor-room"),
        ("delivery", "delivery-room"),
        ("delivery_partner", "delivery-room"),
    ] {
        let token = metaia_tests::fixtures::token::token(role, "u1");
        let mut phone = Phone::connected(&server, &json!({"token": token})).await;
        let ready = phone.event("rt:ready").await;
        let rooms: Vec<&str> = ready["rooms"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(
            rooms.contains(&room) && rooms.contains(&"user-u1") && rooms.len() == 2,
            "{role}: {ready}"
        );
        assert_eq!(format!("{}-room", ready["role"].as_str().unwrap()), room);
        assert_eq!(ready["recovered"], false);
        assert!(
            ready["_rt"]["at"].is_string() && !ready["expiresAt"].is_null(),
            "{ready}"
        );
    }
}

#[tokio::test]
async fn a_stranger_is_refused_and_receives_nothing() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let mut stranger = Phone::ready_as(&server, "customer", "c2").await;
    let refused = stranger.call("join_order_room", &order["_id"]).await;
    assert_eq!(refused, json!({"status": "error", "code": "forbidden"}));

    set_status(&server, id_of(&order), "confirmed").await;
    emit(
        &server,
        &json!({"order": order["_id"]}),
        "order_chat",
        &json!({"text": "secret"}),
    )
    .await;
    assert_eq!(all_until_now(&server, &mut stranger).await, []);
}

#[tokio::test]
async fn a_missing_order_is_answered_as_a_forbidden_one() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut stranger = Phone::ready_as(&server, "tailor", "t9").await;
    let forbidden = stranger.call("join_order_room", &order["_id"]).await;
    let missing = stranger.call("join_order_room", &json!(NO_ORDER)).await;
    assert_eq!(forbidden, missing);
}

#[tokio::test]
async fn a_refusal_without_an_ack_is_an_event() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut stranger = Phone::ready_as(&server, "customer", "c2").await;
    stranger.emit("join_order_room", &order["_id"]).await;
    let error = stranger.event("rt:error").await;
    assert_eq!(error["event"], "join_order_room");
    assert_eq!(error["code"], "forbidden");
    assert_eq!(error["ref"], order["_id"]);
}

#[tokio::test]
async fn malformed_order_ids_have_their_own_code() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "admin", "a1").await;
    let long = "a".repeat(65);
    for bad in [
        json!(""),
        json!("a b"),
        json!("../x"),
        json!("é"),
        json!(long),
        json!(7),
        json!(null),
        json!([]),
        json!({}),
    ] {
        let answer = phone.call("join_order_room", &bad).await;
        assert_eq!(
            answer,
            json!({"status": "error", "code": "invalid_order_id"}),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn leaving_ends_delivery() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let room = json!({"order": order["_id"]});
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let joined = phone.call("join_order_room", &order["_id"]).await;
    let name = format!("order-{}", id_of(&order));
    assert_eq!(
        joined,
        json!({"status": "ok", "room": name, "recovered": false, "replayed": 0})
    );

    emit(&server, &room, "first", &json!({})).await;
    phone.event("first").await;
    let left = phone.call("leave_order_room", &order["_id"]).await;
    assert_eq!(left, json!({"status": "ok", "room": name}));
    emit(&server, &room, "second", &json!({})).await;
    assert_eq!(all_until_now(&server, &mut phone).await, []);
}

#[tokio::test]
async fn a_replaced_tailor_immediately_receives_nothing_more() {
    let server = Server::start().await;
    for way in Way::ALL {
        check_replaced_tailor(&server, Reached::by(way, &server)).await;
    }
}

async fn check_replaced_tailor(server: &Server, reached: Reached<&Server>) {
    let order = place_order_at(server, "c1", "t1").await;
    let id = id_of(&order).to_owned();
    let mut old = Phone::ready_as(&reached, "tailor", "t1").await;
    let mut new = Phone::ready_as(&reached, "tailor", "t2").await;
    assert_eq!(
        old.call("join_order_room", &json!(id)).await["status"],
        "ok"
    );
    assert_eq!(
        new.call("join_order_room", &json!(id)).await["code"],
        "forbidden"
    );

    assign(server, &id, &json!({"tailor": "t2"})).await;
    set_status(server, &id, "confirmed").await;
    emit(
        server,
        &json!({"order": id}),
        "order_chat",
        &json!({"text": "for the new tailor"}),
    )
    .await;

    let received = all_until_now(server, &mut old).await;
    let left = received
        .iter()
        .find(|event| event.name == "rt:room_left")
        .expect("a message that the room is closed");
    assert_eq!(left.data["room"], format!("order-{id}"));
    assert_eq!(left.data["reason"], "access_revoked");
    assert!(!names(&received).contains(&"order_update"), "{received:#?}");
    assert!(!names(&received).contains(&"order_chat"), "{received:#?}");
    assert!(
        names(&received).contains(&"new_notification"),
        "a removed tailor is notified: {received:#?}"
    );
    assert_eq!(
        old.call("join_order_room", &json!(id)).await["code"],
        "forbidden"
    );

    let received = metaia_tests::fixtures::up_to_fence(&mut new).await;
    let updates: Vec<_> = received
        .iter()
        .filter(|event| event.name == "order_update")
        .collect();
    assert_eq!(
        updates.len(),
        2,
        "the assignment and the status: {received:#?}"
    );
    assert!(
        names(&received).contains(&"new_notification"),
        "an added tailor is notified: {received:#?}"
    );
    assert_eq!(
        new.call("join_order_room", &json!(id)).await["status"],
        "ok"
    );
}

#[tokio::test]
async fn clients_cannot_relay_events_through_the_server() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let mut victim = Phone::ready_as(&server, "tailor", "t1").await;
    let mut sender = Phone::ready_as(&server, "customer", "c1").await;
    for phone in [&mut victim, &mut sender] {
        phone.call("join_order_room", &order["_id"]).await;
    }
    for event in ["order_update", "new_notification", "message", "test:fence"] {
        sender
            .emit(event, &json!({"order": order["_id"], "text": "forged"}))
            .await;
        assert_eq!(sender.event("rt:error").await["event"], event);
    }
    assert_eq!(all_until_now(&server, &mut victim).await, []);
}
