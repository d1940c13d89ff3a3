//! Assigns to every event the value that it carries. An order is named by the note on its first
//! item, which its writer chose. Its notifications state only the order's id, so that values are
//! known only after the whole history is known.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checker::{Fact, History};
use crate::server::rest::Api;

/// Sets the value of every received event.
pub fn name_values(history: &mut History) {
    let orders = orders(history);
    for (_, fact) in &mut history.facts {
        if let Fact::Received { got, .. } = fact {
            got.placed.value = value(&parse(&got.payload), &orders);
        }
    }
}

/// Returns the note of each order by its id: from an update of the order, or from the response to
/// its writer.
fn orders(history: &History) -> BTreeMap<String, String> {
    let known = history.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Received { got, .. } => updated(&parse(&got.payload)),
        Fact::Acknowledged { write, made, .. } => {
            Some((made.clone(), write.strip_suffix(" is pending")?.to_owned()))
        }
        _ => None,
    });
    known.collect()
}

fn updated(payload: &Value) -> Option<(String, String)> {
    let order = &payload["data"];
    if payload["event"] != "order_update" {
        return None;
    }
    Some((text(&order["_id"]), note(order)))
}

fn value(payload: &Value, orders: &BTreeMap<String, String>) -> String {
    let data = &payload["data"];
    let order = |id: &Value| {
        orders
            .get(&text(id))
            .cloned()
            .unwrap_or_else(|| format!("unknown order {id}"))
    };
    match text(&payload["event"]).as_str() {
        "order_update" => order_value(&note(data), &text(&data["status"])),
        "payment_update" => payment_value(&order(&data["orderId"]), &text(&data["status"])),
        "new_notification" if data["relatedOrder"].is_string() => notification_value(
            &text(&data["user"]),
            &order(&data["relatedOrder"]),
            &text(&data["title"]),
            &text(&data["message"]),
        ),
        "new_notification" => text(&data["message"]),
        _ => text(&data["value"]),
    }
}

/// Returns the value of an order's update.
pub(super) fn order_value(note: &str, status: &str) -> String {
    format!("{note} is {status}")
}

/// Returns the value of a payment's update.
pub(super) fn payment_value(note: &str, status: &str) -> String {
    format!("the payment of {note} is {status}")
}

/// Returns the value of a notification about an order. The message contains the order's number or
/// the status.
pub(super) fn notification_value(user: &str, note: &str, title: &str, message: &str) -> String {
    let status = message
        .strip_prefix("Status changed to ")
        .unwrap_or_default();
    format!("{user} is notified of {note}: {title} {status}")
}

fn note(order: &Value) -> String {
    text(&order["items"][0]["notes"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn parse(payload: &str) -> Value {
    serde_json::from_str(payload).unwrap_or_default()
}

/// Searches the store for every acknowledged order, and counts what each key created. Returns the
/// facts to record.
pub async fn audit(history: &History, admin: &Api) -> Vec<Fact> {
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for order in all_orders(admin).await {
        *made
            .entry(order_value(&note(&order), "pending"))
            .or_default() += 1;
    }
    let count = |write: &String| made.get(write).copied().unwrap_or_default();
    let acknowledged = history.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Acknowledged { write, .. } if write.ends_with(" is pending") => Some(write),
        _ => None,
    });
    let found = acknowledged.map(|write| Fact::Audited {
        write: write.clone(),
        found: count(write) > 0,
    });
    let counted = made.iter().map(|(write, made)| Fact::Counted {
        write: write.clone(),
        made: *made,
    });
    found.chain(counted).collect()
}

async fn all_orders(admin: &Api) -> Vec<Value> {
    let mut orders = Vec::new();
    let mut path = "/api/orders?limit=100".to_owned();
    loop {
        let page = admin.get(&path).await.data(200);
        orders.extend(page["orders"].as_array().cloned().unwrap_or_default());
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/orders?limit=100&cursor={cursor}"),
            None => return orders,
        }
    }
}
