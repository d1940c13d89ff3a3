//! A small world: orders, assignments, payments, and the fence that makes "received nothing" a fact.

use serde_json::{Value, json};

use crate::phone::{Event, Phone};
use crate::razorpay;
use crate::rest::Api;
use crate::server::Server;

/// A tailoring order of one item.
#[must_use]
pub fn order_body() -> Value {
    json!({"items": [{"garment": "shirt", "quantity": 2, "price": 45_000}]})
}

/// An order id that no order has.
pub const NO_ORDER: &str = "00000000000000000000dead";

/// Places an order and returns it.
pub async fn place_order(server: &Server, customer: &str) -> Value {
    let answer = server.api("customer", customer).post("/api/orders", &order_body()).await;
    answer.data(201)["order"].take()
}

/// Places an order with this tailor and returns it.
pub async fn place_order_at(server: &Server, customer: &str, tailor: &str) -> Value {
    let mut body = order_body();
    body["tailor"] = tailor.into();
    let answer = server.api("customer", customer).post("/api/orders", &body).await;
    answer.data(201)["order"].take()
}

/// The document's id.
#[track_caller]
#[must_use]
pub fn id_of(document: &Value) -> &str {
    document["_id"].as_str().unwrap_or_else(|| panic!("no _id: {document}"))
}

/// Assigns people to an order, as an admin.
pub async fn assign(server: &Server, order: &str, people: &Value) -> Value {
    let answer = server.admin().put(&format!("/api/orders/{order}/assign"), people).await;
    answer.data(200)["order"].take()
}

/// Moves an order on, as an admin.
pub async fn set_status(server: &Server, order: &str, status: &str) -> Value {
    let answer = server.admin().put(&format!("/api/orders/{order}/status"), &json!({"status": status})).await;
    answer.data(200)["order"].take()
}

/// Sends an event, as an admin, and returns `{id, at}`.
pub async fn emit(server: &Server, to: &Value, event: &str, data: &Value) -> Value {
    let body = json!({"to": to, "event": event, "data": data});
    server.admin().post("/api/realtime/emit", &body).await.data(202)
}

/// Sends an event to everyone. The log has one order: who has it has everything before it, or will never get it.
pub async fn raise_fence(server: &Server) {
    emit(server, &json!("everyone"), "test:fence", &json!({})).await;
}

/// Everything that this phone gets up to a fence raised now, without the fence.
pub async fn all_until_now(server: &Server, phone: &mut Phone) -> Vec<Event> {
    raise_fence(server).await;
    up_to_fence(phone).await
}

/// Everything that this phone gets up to a fence raised before, without the fence.
pub async fn up_to_fence(phone: &mut Phone) -> Vec<Event> {
    let mut events = phone.until("test:fence").await;
    events.pop();
    // A position told now and then is about the log, not about anybody.
    events.retain(|event| event.name != "rt:position");
    events
}

/// The events' names, in order.
#[must_use]
pub fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// Opens a payment for an order and returns it.
pub async fn open_payment(customer: &Api, order: &str) -> Value {
    customer.post(&format!("/api/payments/orders/{order}"), &json!({})).await.data(201)["payment"].take()
}

/// The body of a correctly signed verification of this payment.
#[track_caller]
#[must_use]
pub fn verification(payment: &Value, razorpay_payment: &str) -> Value {
    let order =
        payment["razorpayOrderId"].as_str().unwrap_or_else(|| panic!("no razorpayOrderId: {payment}"));
    json!({
        "razorpay_order_id": order,
        "razorpay_payment_id": razorpay_payment,
        "razorpay_signature": razorpay::checkout_signature(order, razorpay_payment),
    })
}
