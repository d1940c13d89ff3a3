//! The questions of a manifest, which are collected while the story is played.

use serde_json::{Value, json};

use crate::fixtures::id_of;
use crate::fixtures::razorpay::webhook_signature;
use crate::server::Server;
use crate::upgrade::observe::answer;

/// A manifest in the making, and the server that the story is played on.
pub(super) struct Questions<'a> {
    pub(super) server: &'a Server,
    pub(super) requests: Vec<Value>,
    pub(super) clients: Vec<Value>,
    pub(super) changes: Vec<Value>,
}

impl<'a> Questions<'a> {
    pub(super) const fn new(server: &'a Server) -> Self {
        Self {
            server,
            requests: Vec::new(),
            clients: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Sends a request that the manifest repeats, and returns the data of its answer.
    pub(super) async fn send(&mut self, request: Value) -> Value {
        let data = self.send_once(&request).await;
        self.requests.push(request);
        data
    }

    /// Sends a request that the manifest does not repeat, and returns the data of its answer.
    pub(super) async fn send_once(&self, request: &Value) -> Value {
        let mut sent = request.clone();
        answer(self.server, &mut sent).await;
        assert_eq!(sent["answer"]["status"], "success", "{sent}");
        sent["answer"]["data"].take()
    }

    pub(super) async fn put(&self, caller: &str, path: &str, body: &Value) {
        let request = json!({"as": caller, "method": "PUT", "path": path, "body": body});
        self.send_once(&request).await;
    }

    fn get(&mut self, caller: &str, path: &str) {
        let request = json!({"as": caller, "method": "GET", "path": path});
        self.requests.push(request);
    }

    /// Asks for the lists that show all records, and for these orders by themselves.
    pub(super) fn list_records(&mut self, orders: &[Value]) {
        for caller in ["admin a1", "customer c1", "tailor t1", "delivery d1"] {
            self.get(caller, "/api/orders?limit=100");
            self.get(caller, "/api/notifications?limit=100");
        }
        self.get("admin a1", "/api/orders?status=cancelled");
        self.get("customer c2", "/api/notifications?unread=true");
        for order in orders {
            self.get("admin a1", &format!("/api/orders/{}", id_of(order)));
        }
    }

    pub(super) fn into_manifest(self) -> Value {
        json!({"requests": self.requests, "clients": self.clients, "changes": self.changes})
    }
}

/// Returns a POST with an idempotency key.
pub(super) fn keyed(caller: &str, path: &str, key: &str, body: &Value) -> Value {
    let headers = json!({"idempotency-key": key});
    json!({"as": caller, "method": "POST", "path": path, "headers": headers, "body": body})
}

/// Returns an event of the payment provider, of this attempt at a payment.
pub(super) fn webhook(event: &str, attempt: &str, payment: &Value, id: &str) -> Value {
    let entity = json!({
        "id": attempt,
        "order_id": payment["razorpayOrderId"],
        "amount": payment["amount"],
        "currency": payment["currency"],
    });
    let body = json!({"event": event, "payload": {"payment": {"entity": entity}}});
    let signature = webhook_signature(&body.to_string());
    let headers = json!({"x-razorpay-event-id": id, "x-razorpay-signature": signature});
    let path = "/api/payments/webhook";
    json!({"as": "", "method": "POST", "path": path, "headers": headers, "body": body})
}
