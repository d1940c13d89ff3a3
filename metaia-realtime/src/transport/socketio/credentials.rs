//! What a client says of itself in the handshake and in CONNECT.

use http::{header::AUTHORIZATION, request::Parts};
use serde_json::Value;

use crate::{Credentials, DeviceId, OrderId, Position, log::ResetReason};

/// The most order rooms that a CONNECT may name.
const ORDERS: usize = 128;

/// The members of `auth` that this version reads. All are optional, and none is trusted to have the right type.
#[derive(Debug, Default)]
pub(super) struct Hello {
    pub(super) token: Option<String>,
    pub(super) since: Option<Result<Position, ResetReason>>,
    /// Order rooms to join before catching up; those that are no order ids as they came.
    pub(super) orders: Vec<Result<OrderId, String>>,
    pub(super) device: Option<DeviceId>,
}

impl Hello {
    pub(super) fn read(auth: &Value) -> Self {
        let member = |name| auth.get(name).filter(|value| !value.is_null());
        Self {
            token: member("token").and_then(Value::as_str).map(str::to_owned),
            since: member("since").map(position),
            orders: member("orders").map(orders).unwrap_or_default(),
            device: member("device").and_then(Value::as_str).and_then(|device| device.parse().ok()),
        }
    }
}

fn position(since: &Value) -> Result<Position, ResetReason> {
    since.as_str().and_then(|text| text.parse().ok()).ok_or(ResetReason::Malformed)
}

/// A list, or, for clients whose `auth` takes only strings, ids separated by commas.
fn orders(orders: &Value) -> Vec<Result<OrderId, String>> {
    let id = |text: &str| text.parse().map_err(|_| text.to_owned());
    match orders {
        Value::Array(items) => {
            let text = |item: &Value| item.as_str().map_or_else(|| Err(item.to_string()), id);
            items.iter().take(ORDERS).map(text).collect()
        }
        Value::String(text) => {
            text.split(',').map(str::trim).filter(|t| !t.is_empty()).take(ORDERS).map(id).collect()
        }
        other => vec![Err(other.to_string())],
    }
}

/// The bearer token: `auth.token` wins over the header, the header over the query. Longer than `limit`: none.
pub(super) fn credentials(parts: &Parts, hello: &Hello, in_query: bool, limit: usize) -> Credentials {
    let header = || {
        let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    };
    let query = || if in_query { super::gate::query(parts.uri.query(), "token") } else { None };
    let token = hello.token.as_deref().or_else(header).or_else(query);
    Credentials::bearer(token.filter(|token| token.len() <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(header: &str) -> Parts {
        http::Request::get("/socket.io/?EIO=4&token=q")
            .header("Authorization", header)
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[track_caller]
    fn check(header: &str, auth: Value, in_query: bool, expected: Option<&str>) {
        let found = credentials(&parts(header), &Hello::read(&auth), in_query, 10);
        assert_eq!(found.token.as_deref(), expected);
    }

    #[test]
    fn the_payload_wins_over_the_header_and_that_over_the_query() {
        check("Bearer h", json!({ "token": "p" }), true, Some("p"));
        check("bearer h", json!({}), true, Some("h"));
        check("Basic h", json!(null), true, Some("q"));
        check("Basic h", json!({ "token": 7 }), false, None);
        check("Bearer eleven-byte", json!([]), false, Some("eleven-byte").filter(|t| t.len() <= 10));
    }

    #[test]
    fn members_of_a_wrong_type_are_refused_one_by_one() {
        let hello = Hello::read(&json!({ "since": 5, "orders": ["a", 7, "b c"], "device": {} }));
        assert_eq!(hello.since, Some(Err(ResetReason::Malformed)));
        assert_eq!(hello.orders, [Ok("a".parse().unwrap()), Err("7".to_owned()), Err("b c".to_owned())]);
        assert_eq!(hello.device, None);
        let hello = Hello::read(&json!({ "orders": "a, b", "since": null }));
        assert_eq!(hello.orders, [Ok("a".parse().unwrap()), Ok("b".parse().unwrap())]);
        assert_eq!(hello.since, None);
    }
}
