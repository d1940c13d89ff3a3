//! The promises of the old backend's guide, with the official clients in their default
//! configuration: only the token's header is set.

mod javascript;
mod python;
mod snippets;

use metaia_tests::clients::driver::Driver;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::token::{Token, in_seconds, token};
use metaia_tests::fixtures::{
    assign, id_of, open_payment, place_order, place_order_at, raise_fence, set_status, verification,
};
use metaia_tests::server::Server;
use serde_json::{Value, json};

/// Checks that a customer receives a new order as a notification and as an order update.
async fn a_new_order_is_announced(mut driver: Driver) {
    let server = Server::start().await;
    driver
        .ready("customer", &server, &token("customer", "c1"))
        .await;
    let order = place_order(&server, "c1").await;

    let notification = driver.event("customer", "new_notification").await;
    assert_eq!(notification["user"], "c1");
    assert_eq!(notification["type"], "order");
    assert_eq!(notification["relatedOrder"], order["_id"]);
    assert_eq!(notification["read"], false);
    let update = driver.event("customer", "order_update").await;
    assert_eq!(update["_id"], order["_id"]);
    assert_eq!(update["orderNumber"], order["orderNumber"]);
    server
        .wait_for_output("User connected: c1 (customer)")
        .await;
}

/// Checks that everyone whom an order concerns receives each update once, in however many of its
/// rooms they are.
async fn an_order_update_reaches_each_once(mut driver: Driver) {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let order = id_of(&order).to_owned();
    assign(&server, &order, &json!({"deliveryPartner": "d1"})).await;
    let people = [
        ("customer", "c1"),
        ("tailor", "t1"),
        ("delivery", "d1"),
        ("admin", "a1"),
        ("customer", "c2"),
    ];
    for (role, user) in people {
        driver.ready(user, &server, &token(role, user)).await;
    }
    // The customer and the admin are in two or three of the entry's rooms after this.
    for user in ["c1", "a1"] {
        let joined = driver.call(user, "join_order_room", &json!(order)).await;
        assert_eq!(joined["status"], "ok", "{joined}");
        assert_eq!(joined["room"], format!("order-{order}"));
    }

    set_status(&server, &order, "confirmed").await;
    raise_fence(&server).await;
    for (role, user) in people {
        driver.event(user, "test:fence").await;
        let copies = driver.count(user, "order_update");
        assert_eq!(
            copies,
            usize::from(user != "c2"),
            "{role} {user}: {:?}",
            driver.names(user)
        );
    }
    assert_eq!(
        driver.event("t1", "order_update").await["status"],
        "confirmed"
    );
}

/// Checks that a client which has joined the order's room receives its updates.
async fn the_order_room_receives_updates(mut driver: Driver) {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let order = id_of(&order).to_owned();
    driver.ready("c1", &server, &token("customer", "c1")).await;
    driver.emit("c1", "join_order_room", &json!(order)).await;
    // One connection's events are handled in order. This ack proves that the first join is done.
    driver.call("c1", "join_order_room", &json!(order)).await;

    let sent = json!({"to": {"order": order}, "event": "fitting_booked", "data": {"at": "noon"}});
    let sent = server
        .admin()
        .post("/api/realtime/emit", &sent)
        .await
        .data(202);
    set_status(&server, &order, "confirmed").await;
    let update = driver.event("c1", "order_update").await;
    assert_eq!(update["_id"], order);
    assert!(sent["at"].is_string() && sent["id"].is_string(), "{sent}");

    driver.emit("c1", "leave_order_room", &json!(order)).await;
    let left = driver.call("c1", "leave_order_room", &json!(order)).await;
    assert_eq!(left["status"], "ok", "{left}");
}

/// Checks that a correctly signed payment is announced to the customer and to the admins.
async fn a_verified_payment_is_announced(mut driver: Driver) {
    let server = Server::start().await;
    driver
        .ready("customer", &server, &token("customer", "c1"))
        .await;
    driver.ready("admin", &server, &token("admin", "a1")).await;
    let order = place_order(&server, "c1").await;
    let customer = server.api("customer", "c1");
    let payment = open_payment(&customer, id_of(&order)).await;
    let verified = customer
        .post("/api/payments/verify", &verification(&payment, "pay_e2e1"))
        .await
        .data(200);
    assert_eq!(verified["payment"]["status"], "completed", "{verified}");

    for name in ["customer", "admin"] {
        let update = driver.event(name, "payment_update").await;
        assert_eq!(update["paymentId"], payment["_id"]);
        assert_eq!(update["orderId"], order["_id"]);
        assert_eq!(update["status"], "completed");
        assert_eq!(update["amount"], order["amount"]);
        assert_eq!(update["currency"], "INR");
    }
}

/// Checks that a tailor's status reaches the admins and the rooms of the tailor's confirmed
/// orders.
async fn a_tailors_status_is_announced(mut driver: Driver) {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    set_status(&server, id_of(&order), "confirmed").await;
    driver.ready("admin", &server, &token("admin", "a1")).await;
    driver
        .ready("customer", &server, &token("customer", "c1"))
        .await;
    driver
        .call("customer", "join_order_room", &order["_id"])
        .await;

    server
        .api("tailor", "t1")
        .put("/api/tailors/me/status", &json!({"status": "busy"}))
        .await
        .ok(200);
    for name in ["admin", "customer"] {
        let update = driver.event(name, "tailor_status_update").await;
        assert_eq!(update["tailorId"], "t1");
        assert_eq!(update["status"], "busy");
        assert!(!update["at"].is_null(), "{update}");
    }
}

/// Connects with a bad token and returns the message that the client shows.
async fn a_bad_token_is_refused(mut driver: Driver) -> String {
    let server = Server::start().await;
    driver.connect("stranger", &server, "not-a-token").await;
    let refusal = driver.event("stranger", "connect_error").await;
    refusal["message"]
        .as_str()
        .or(refusal.as_str())
        .expect("a message")
        .to_owned()
}

/// Checks that a client whose token ends keeps its connection if it sends a new token, and that a
/// new role counts from the answer on.
async fn a_new_token_keeps_the_connection(mut driver: Driver, mut opts: Value) {
    let server = Server::start().await;
    let exp = in_seconds(4);
    let claims = json!({"userId": "c1", "role": "customer", "exp": exp});
    opts["auth"] = json!({"token": Token::with_claims(&claims).sign()});
    driver.connect_with("c1", &server, &opts).await;
    driver.event("c1", "rt:ready").await;
    assert_eq!(
        driver.event("c1", "rt:expiring").await["expiresAt"],
        exp * 1000
    );
    let other = json!({"token": token("customer", "c2")});
    let refused = driver.call("c1", "rt:refresh", &other).await;
    assert_eq!(refused, json!({"status": "error", "code": "forbidden"}));
    let next = json!({"token": token("tailor", "c1")});
    let answer = driver.call("c1", "rt:refresh", &next).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert!(answer["expiresAt"].as_i64() > Some(exp * 1000), "{answer}");
    let left = driver.event("c1", "rt:room_left").await;
    assert_eq!(
        left,
        json!({"room": "customer-room", "reason": "role_changed"})
    );

    eventually("the first token to end", async || {
        (in_seconds(-1) > exp).then_some(())
    })
    .await;
    for role in ["customer", "tailor"] {
        let sent = json!({"to": {"role": role}, "event": "load", "data": {"role": role}});
        let sent = server.admin().post("/api/realtime/emit", &sent).await;
        sent.ok(202);
    }
    assert_eq!(driver.event("c1", "load").await["role"], "tailor");
    assert_eq!(driver.count("c1", "disconnect"), 0);
    let refusals = server.admin().get("/api/realtime/refusals").await.data(200);
    let refusal = &refusals["refusals"][0];
    assert_eq!(refusal["code"], "forbidden");
    assert_eq!(refusal["event"], "rt:refresh");
    assert_eq!(refusal["user"], "c1");
}
