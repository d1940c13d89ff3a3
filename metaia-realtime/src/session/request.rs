//! What a client asks for when it connects, or in `rt:resume`.

use serde_json::Value;

use crate::{OrderId, Position, log::ResetReason};

/// The most order rooms that a client may name at once.
const ORDERS: usize = 128;

/// What a client asks for, in `auth` or in `rt:resume`. All is optional, and none is trusted to
/// have the right type.
#[derive(Debug, Default)]
pub(crate) struct ConnectRequest {
    /// The position it shows, or that what it shows is none.
    pub(crate) since: Option<Result<Position, ResetReason>>,
    /// Order rooms to join before catching up; those that are no order ids as they came.
    pub(crate) orders: Vec<Result<OrderId, String>>,
}

impl ConnectRequest {
    pub(crate) fn read(members: &Value) -> Self {
        let member = |name| members.get(name).filter(|value| !value.is_null());
        Self {
            since: member("since").map(position),
            orders: member("orders").map(orders).unwrap_or_default(),
        }
    }
}

fn position(since: &Value) -> Result<Position, ResetReason> {
    since
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or(ResetReason::Malformed)
}

/// A list, or, for clients whose `auth` takes only strings, ids separated by commas.
fn orders(orders: &Value) -> Vec<Result<OrderId, String>> {
    let id = |text: &str| text.parse().map_err(|_| text.to_owned());
    match orders {
        Value::Array(items) => {
            let text = |item: &Value| item.as_str().map_or_else(|| Err(item.to_string()), id);
            items.iter().take(ORDERS).map(text).collect()
        }
        Value::String(text) => text
            .split(',')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .take(ORDERS)
            .map(id)
            .collect(),
        other => vec![Err(other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_of_a_wrong_type_are_refused_one_by_one() {
        let wish = ConnectRequest::read(&json!({ "since": 5, "orders": ["a", 7, "b c"] }));
        assert_eq!(wish.since, Some(Err(ResetReason::Malformed)));
        assert_eq!(
            wish.orders,
            [
                Ok("a".parse().unwrap()),
                Err("7".to_owned()),
                Err("b c".to_owned())
            ]
        );
        let wish = ConnectRequest::read(&json!({ "orders": "a, b", "since": null }));
        assert_eq!(
            wish.orders,
            [Ok("a".parse().unwrap()), Ok("b".parse().unwrap())]
        );
        assert_eq!(wish.since, None);
    }
}
