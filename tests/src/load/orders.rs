//! A writer of orders. It places each order with an idempotency key, and an admin then moves it
//! through its statuses.

use serde_json::json;

use super::naming::{notification_value, order_value};
use super::writer::Writer;
use crate::server::rest::Api;

/// The statuses that an admin sets. A status change has no key, so its outcome may stay unknown.
const STEPS: [&str; 4] = ["confirmed", "in_progress", "ready", "out_for_delivery"];

/// An order with the users that it concerns.
struct Order<'a> {
    note: String,
    customer: &'a str,
    tailor: Option<&'a str>,
}

/// Places orders of this customer with this tailor, and moves them through their statuses until the
/// writer is told to stop.
pub async fn orders(writer: Writer, admin: Api, customer: &str, tailor: Option<&str>) {
    let admin = writer.with(admin);
    let mut count = 0;
    while writer.should_continue() {
        count += 1;
        let order = Order {
            note: format!("{} {count}", writer.name),
            customer,
            tailor,
        };
        let id = order.place(&writer).await;
        for status in STEPS {
            order.reach(&admin, &id, status).await;
        }
    }
}

/// Assigns an order that has no note to another tailor.
pub async fn reassign(admin: &Writer, id: &str, customer: &str, [from, to]: [&str; 2]) {
    let order = Order {
        note: String::new(),
        customer,
        tailor: Some(to),
    };
    let mut effects = order.update("pending");
    effects[0].1.push(format!("order-{id}"));
    effects.push(order.notice(from, "Order Reassigned", ""));
    effects.push(order.notice(to, "Order Assigned", ""));
    let write = Writer::write("reassign", effects, false);
    let body = json!({"tailor": to});
    admin
        .try_once(
            &write,
            admin
                .api
                .try_send("PUT", &format!("/api/orders/{id}/assign"), &body),
        )
        .await;
}

impl Order<'_> {
    async fn place(&self, writer: &Writer) -> String {
        let item = json!({"garment": "shirt", "quantity": 1, "price": 100, "notes": self.note});
        let mut body = json!({"items": [item]});
        if let Some(tailor) = self.tailor {
            body["tailor"] = json!(tailor);
        }
        let mut effects = self.update("pending");
        effects.push(self.notice(self.customer, "Order Placed Successfully", ""));
        effects.extend(
            self.tailor
                .map(|tailor| self.notice(tailor, "New Order", "")),
        );
        let write = Writer::write(&order_value(&self.note, "pending"), effects, true);
        let order = writer.post_keyed(&write, "/api/orders", &body).await.json();
        order["data"]["order"]["_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Moves the order to this status. A change with an unknown outcome is repeated only if the
    /// order does not have the status yet.
    async fn reach(&self, admin: &Writer, id: &str, status: &str) {
        let path = format!("/api/orders/{id}");
        let mut effects = self.update(status);
        effects[0].1.push(format!("order-{id}"));
        let message = format!("Status changed to {status}");
        effects.push(self.notice(self.customer, "Order Status Updated", &message));
        if status == "confirmed" {
            effects.extend(
                self.tailor
                    .map(|tailor| self.notice(tailor, "Order Status Updated", &message)),
            );
        }
        let write = Writer::write(&order_value(&self.note, status), effects, false);
        let put = format!("{path}/status");
        let body = json!({"status": status});
        while admin
            .try_once(&write, admin.api.try_send("PUT", &put, &body))
            .await
            .is_none()
        {
            if admin.read(&path).await["data"]["order"]["status"] == status {
                return;
            }
        }
    }

    fn update(&self, status: &str) -> Vec<(String, Vec<String>)> {
        let users = [Some(self.customer), self.tailor].into_iter().flatten();
        let rooms = users
            .map(|user| format!("user-{user}"))
            .chain(["admin-room".to_owned()]);
        vec![(order_value(&self.note, status), rooms.collect())]
    }

    fn notice(&self, user: &str, title: &str, message: &str) -> (String, Vec<String>) {
        (
            notification_value(user, &self.note, title, message),
            vec![format!("user-{user}")],
        )
    }
}
