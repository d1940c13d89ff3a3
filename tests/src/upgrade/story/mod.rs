//! The story on the earlier version before its data become a fixture: records in every state,
//! and clients that leave while there is more to come.

mod clients;
mod questions;

use serde_json::{Value, json};

use crate::fixtures::{assign, emit, id_of, order_body, place_order_at, set_status, verification};
use crate::server::{API_KEY, Server};
use crate::upgrade::text;

use clients::Clients;
use questions::{Questions, keyed, webhook};

/// `METAIA_RETENTION_ENTRIES` of a server that plays the story: the story has more entries, so the
/// first ones are trimmed.
pub const RETENTION: &str = "40";

/// The steps of an order.
const STATUSES: [&str; 6] = [
    "pending",
    "confirmed",
    "in_progress",
    "ready",
    "out_for_delivery",
    "delivered",
];

/// Plays the whole story and returns a manifest without answers.
pub async fn play(server: &Server) -> Value {
    let mut questions = Questions::new(server);
    let early = emit(server, &json!({"user": "c1"}), "load", &json!({"n": 0})).await;
    let orders = orders(&mut questions).await;
    payments(&orders, &mut questions).await;
    notifications(&mut questions).await;
    let mut clients = Clients::connect(server, &orders).await;
    clients.receive(server).await;
    clients::end_session(server).await;
    questions.clients = clients.leave(server).await;
    events_that_are_missed(&orders, &mut questions).await;
    let last = emit(server, &json!("everyone"), "load", &json!({"n": 99})).await;
    let newcomers = clients::newcomers(&early["at"], &last["at"]);
    questions.clients.extend(newcomers);
    questions.list_records(&orders[..2]);
    questions.into_manifest()
}

/// Plays a short story on a server that crashes at its last request, with which the manifest
/// begins.
pub async fn play_until_crash(server: Server) -> Value {
    let mut questions = Questions::new(&server);
    let early = emit(&server, &json!({"user": "c1"}), "load", &json!({"n": 0})).await;
    let order = keyed("customer c1", "/api/orders", "interrupted", &order_body());
    let customer = server.api("customer", "c1");
    let customer = customer.header("idempotency-key", "interrupted");
    let answer = customer.try_post("/api/orders", &order_body()).await;
    assert!(answer.is_none(), "the server must crash: {answer:#?}");
    questions.requests.push(order);
    questions.clients = clients::app(&early["at"]);
    questions.list_records(&[]);
    let manifest = questions.into_manifest();
    server.wait_for_crash().await;
    manifest
}

/// Returns an order of c1 with everything that an order may have.
fn large_order() -> Value {
    let measurements = json!({"chest": 96.5, "waist": 82, "fit": "schmal – ಸಣ್ಣ"});
    let suit = json!({
        "garment": "suit", "quantity": 1, "price": 1_250_000, "measurements": measurements,
        "notes": "line one\nline \"two\"",
    });
    let shirt = json!({"garment": "shirt", "quantity": 3, "price": 45_000});
    json!({
        "items": [suit, shirt], "tailor": "t1", "deliveryAddress": "12 MG Road", "currency": "USD",
    })
}

/// Places an order for each status, one more that will move on, and one that is cancelled.
async fn orders(questions: &mut Questions<'_>) -> Vec<Value> {
    let server = questions.server;
    let first = keyed("customer c1", "/api/orders", "first", &large_order());
    let mut orders = vec![questions.send(first).await["order"].take()];
    for last in [1, 2, 2, 3, 4, 5] {
        let customer = if last % 2 == 0 { "c1" } else { "c2" };
        let mut order = place_order_at(server, customer, "t1").await;
        let id = id_of(&order).to_owned();
        if last >= 4 {
            assign(server, &id, &json!({"deliveryPartner": "d1"})).await;
        }
        for status in &STATUSES[1..=last] {
            order = set_status(server, &id, status).await;
        }
        orders.push(order);
    }
    let cancelled = place_order_at(server, "c1", "t2").await;
    orders.push(set_status(server, id_of(&cancelled), "cancelled").await);
    orders
}

/// Opens four payments. One stays open; one completes, one fails, one is refunded.
async fn payments(orders: &[Value], questions: &mut Questions<'_>) {
    let mut opened = Vec::new();
    for order in &orders[..4] {
        let customer = format!("customer {}", text(order, "customer"));
        let path = format!("/api/payments/orders/{}", id_of(order));
        let open = keyed(&customer, &path, id_of(order), &json!({}));
        // The request to repeat is that of the payment that stays open: the others are closed.
        let payment = if opened.is_empty() {
            questions.send(open).await
        } else {
            questions.send_once(&open).await
        };
        opened.push(payment["payment"].clone());
    }
    let [_, completed, failed, refunded] = opened.as_slice() else {
        panic!("four payments: {opened:#?}");
    };
    let path = "/api/payments/verify";
    let paid = verification(completed, "pay_completed");
    questions
        .send(keyed("customer c2", path, "paid", &paid))
        .await;
    for (event, payment, id) in [
        ("payment.failed", failed, "evt_failed"),
        ("payment.captured", refunded, "evt_captured"),
        ("refund.processed", refunded, "evt_refunded"),
    ] {
        let applied = questions.send(webhook(event, "pay_webhook", payment, id));
        let applied = applied.await;
        assert_eq!(applied["result"], "applied", "{event}");
    }
    let late = verification(failed, "pay_late");
    let refund = webhook("refund.processed", "pay_completed", completed, "evt_new");
    questions
        .changes
        .extend([keyed("customer c1", path, "late", &late), refund]);
}

/// Sends notifications, of which some are read, and sets the status of a tailor.
async fn notifications(questions: &mut Questions<'_>) {
    let path = "/api/notifications";
    for (n, key) in [(1, "notice-1"), (2, "notice-2")] {
        let message = format!("no. {n}");
        let body = json!({"user": "c2", "type": "system", "title": "ಸೂಚನೆ", "message": message});
        let mut notice = keyed("", path, key, &body);
        notice["headers"]["x-api-key"] = API_KEY.into();
        let sent = questions.send(notice).await;
        if n == 1 {
            let mark = format!("{path}/{}/read", id_of(&sent["notification"]));
            questions.put("customer c2", &mark, &json!({})).await;
        }
    }
    let read_all = "/api/notifications/read-all";
    questions.put("tailor t1", read_all, &json!({})).await;
    let busy = json!({"status": "busy"});
    questions
        .put("tailor t1", "/api/tailors/me/status", &busy)
        .await;
    questions
        .changes
        .push(json!({"as": "customer c2", "method": "PUT", "path": read_all, "body": {}}));
}

/// Publishes events to every kind of room, for clients that are away.
async fn events_that_are_missed(orders: &[Value], questions: &mut Questions<'_>) {
    let server = questions.server;
    let order = id_of(&orders[2]);
    let room = json!({"order": order});
    let odd = json!({"n": 10, "big": 9_007_199_254_740_993_u64, "half": 0.5, "text": "é\u{1F9F5}"});
    emit(server, &room, "load", &odd).await;
    // The tailor t1 loses access to the order here.
    assign(server, order, &json!({"tailor": "t2"})).await;
    emit(server, &room, "load", &json!({"n": 11})).await;
    for (n, to) in [
        (12, json!({"user": "c1"})),
        (13, json!({"user": "c2"})),
        (14, json!({"role": "tailor"})),
        (15, json!({"role": "delivery"})),
        (16, json!("everyone")),
    ] {
        emit(server, &to, "load", &json!({"n": n})).await;
    }
    let body = json!({"to": {"user": "c1"}, "event": "load", "data": {"n": 17}});
    questions
        .send(keyed("admin a1", "/api/realtime/emit", "emit", &body))
        .await;
    set_status(server, order, "ready").await;
}
