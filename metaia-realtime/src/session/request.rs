//! The request of a client that connects, or that sends `rt:resume`.

use serde_json::Value;

use crate::{OrderId, Position, log::ResetReason};

/// The most order rooms that a client may name in one request.
const MAX_ORDERS: usize = 128;

/// The request of a client, in `auth` or in `rt:resume`. All members are optional, and none is
/// trusted to have the right type.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ConnectRequest {
    /// The position from which the client wants to resume, or an error if it is malformed.
    pub(super) since: Option<Result<Position, ResetReason>>,
    /// The order rooms to join before catching up; `Err` holds the text of one that is no order id.
    pub(super) orders: Vec<Result<OrderId, String>>,
}

impl ConnectRequest {
    /// Reads the members `since` and `orders` of a JSON object.
    pub(crate) fn read(members: &Value) -> Self {
        let member = |name| members.get(name).filter(|value| !value.is_null());
        Self {
            since: member("since").map(read_position),
            orders: member("orders").map(read_orders).unwrap_or_default(),
        }
    }

    /// Merges a later request into this one. Its position replaces the earlier one if it has one;
    /// its orders are added.
    pub(super) fn update(&mut self, later: Self) {
        if later.since.is_some() {
            self.since = later.since;
        }
        self.orders.extend(later.orders);
    }
}

fn read_position(since: &Value) -> Result<Position, ResetReason> {
    since
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or(ResetReason::Malformed)
}

/// Reads a list of ids, or, for clients whose `auth` takes only strings, ids separated by commas.
fn read_orders(orders: &Value) -> Vec<Result<OrderId, String>> {
    match orders {
        Value::Array(items) => items.iter().take(MAX_ORDERS).map(read_order).collect(),
        Value::String(text) => text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .take(MAX_ORDERS)
            .map(parse_order)
            .collect(),
        other => vec![Err(other.to_string())],
    }
}

fn read_order(item: &Value) -> Result<OrderId, String> {
    match item.as_str() {
        Some(text) => parse_order(text),
        None => Err(item.to_string()),
    }
}

fn parse_order(text: &str) -> Result<OrderId, String> {
    text.parse().map_err(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_of_a_wrong_type_are_refused_one_by_one() {
        let request = ConnectRequest::read(&json!({ "since": 5, "orders": ["a", 7, "b c"] }));
        assert_eq!(request.since, Some(Err(ResetReason::Malformed)));
        assert_eq!(
            request.orders,
            [
                Ok("a".parse().unwrap()),
                Err("7".to_owned()),
                Err("b c".to_owned())
            ]
        );
        let request = ConnectRequest::read(&json!({ "orders": "a, b", "since": null }));
        assert_eq!(
            request.orders,
            [Ok("a".parse().unwrap()), Ok("b".parse().unwrap())]
        );
        assert_eq!(request.since, None);
    }
}
