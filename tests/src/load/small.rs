//! Writers of single events: notifications, emits, and payments that the provider reports twice.

use serde_json::{Value, json};

use super::naming::{notification_value, order_value, payment_value};
use super::writer::Writer;
use crate::fixtures::razorpay::webhook_signature;
use crate::server::rest::ApiResponse;

/// Sends notifications to this user, each with a key, until the writer is told to stop.
pub async fn notifications(writer: Writer, user: &str) {
    let mut count = 0;
    while writer.should_continue() {
        count += 1;
        let value = format!("{} {count}", writer.name);
        let write = Writer::write(
            &value,
            vec![(value.clone(), vec![format!("user-{user}")])],
            true,
        );
        let body = json!({"user": user, "type": "system", "title": "Load", "message": value});
        writer.post_keyed(&write, "/api/notifications", &body).await;
    }
}

/// Emits to the targets in turn until the writer is told to stop. Every second event has a key and
/// is retried. The others are sent once, so that some outcomes stay unknown.
pub async fn emits(writer: Writer, targets: &[(Value, String)]) {
    let mut count = 0;
    while writer.should_continue() {
        let (to, room) = &targets[count % targets.len()];
        count += 1;
        let value = format!("{} {count}", writer.name);
        let keyed = count % 2 == 0;
        let write = Writer::write(&value, vec![(value.clone(), vec![room.clone()])], keyed);
        let body = json!({"to": to, "event": "load", "data": {"value": value}});
        if keyed {
            writer.post_keyed(&write, "/api/realtime/emit", &body).await;
        } else if writer
            .try_once(
                &write,
                writer.api.try_send("POST", "/api/realtime/emit", &body),
            )
            .await
            .is_none()
        {
            // The server is gone. A request that succeeds shows that it is back.
            writer.read("/readyz").await;
        }
    }
}

/// Pays one order of this customer after the other. The provider reports each payment twice, with
/// one event id.
pub async fn payments(writer: Writer, customer: &str) {
    let mut count = 0;
    while writer.should_continue() {
        count += 1;
        let note = format!("{} {count}", writer.name);
        let order = place(&writer, customer, &note).await;
        let payment = open(&writer, &note, &order).await;
        let effects = vec![
            (
                payment_value(&note, "completed"),
                vec![format!("user-{customer}"), "admin-room".to_owned()],
            ),
            (
                notification_value(customer, &note, "Payment Successful", ""),
                vec![format!("user-{customer}")],
            ),
        ];
        let write = Writer::write(&payment_value(&note, "completed"), effects, true);
        let body = captured(&payment);
        for _ in 0..2 {
            writer.retry(&write, || report(&writer, &note, &body)).await;
        }
    }
}

async fn place(writer: &Writer, customer: &str, note: &str) -> String {
    let item = json!({"garment": "shirt", "quantity": 1, "price": 100, "notes": note});
    let effects = vec![
        (
            order_value(note, "pending"),
            vec![format!("user-{customer}"), "admin-room".to_owned()],
        ),
        (
            notification_value(customer, note, "Order Placed Successfully", ""),
            vec![format!("user-{customer}")],
        ),
    ];
    let write = Writer::write(&order_value(note, "pending"), effects, true);
    let answer = writer
        .post_keyed(&write, "/api/orders", &json!({"items": [item]}))
        .await;
    answer.json()["data"]["order"]["_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn open(writer: &Writer, note: &str, order: &str) -> Value {
    let write = Writer::write(&payment_value(note, "created"), Vec::new(), true);
    let path = format!("/api/payments/orders/{order}");
    writer.post_keyed(&write, &path, &json!({})).await.json()["data"]["payment"].take()
}

fn captured(payment: &Value) -> String {
    let id = format!("pay_{}", payment["_id"].as_str().unwrap_or_default());
    let entity = json!({
        "id": id,
        "order_id": payment["razorpayOrderId"],
        "amount": payment["amount"],
        "currency": "INR",
    });
    let event = json!({
        "entity": "event",
        "event": "payment.captured",
        "payload": {"payment": {"entity": entity}},
    });
    event.to_string()
}

async fn report(writer: &Writer, note: &str, body: &str) -> Option<ApiResponse> {
    let event = format!("evt_{}", note.replace(' ', "_"));
    let signed = writer
        .api
        .header("x-razorpay-signature", &webhook_signature(body));
    signed
        .header("x-razorpay-event-id", &event)
        .try_post_text("/api/payments/webhook", body)
        .await
}
