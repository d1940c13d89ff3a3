//! How a session starts: where its client wants to go on, and what became of that.

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

/// A session that starts.
#[derive(Debug, Default)]
pub(crate) struct Start {
    pub(super) wish: ConnectRequest,
    /// Where the log was when the client came: what follows is for it, if it shows no position.
    pub(super) came_at: Option<Position>,
    /// Nothing is handed over until the client says where it wants to go on.
    held: bool,
    /// Under which number the client wants to know what became of its `rt:resume`.
    pub(super) answer: Option<i64>,
    /// Set when a position was honoured.
    pub(super) recovered: bool,
    pub(super) replayed: usize,
    pub(super) begun: bool,
    pub(super) ready: bool,
}

impl Start {
    /// `came_at`: where the log is, if that can be said; `hold`: waits for `rt:resume`.
    pub(crate) fn new(wish: ConnectRequest, came_at: Option<Position>, hold: bool) -> Self {
        Self {
            wish,
            came_at,
            held: hold,
            ..Self::default()
        }
    }

    /// Whether it is known where the session goes on.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) const fn is_held(&self) -> bool {
        self.held
    }

    /// The time to say where to go on is over: what was said when the client connected counts.
    pub(super) fn release(&mut self) {
        self.held = false;
    }

    /// The client says where to go on. What it does not say again stays.
    pub(super) fn resume(&mut self, wish: ConnectRequest, answer: Option<i64>) {
        self.wish.since = wish.since.or(self.wish.since.take());
        self.wish.orders.extend(wish.orders);
        (self.held, self.answer) = (false, answer);
    }

    #[cfg(test)]
    pub(super) fn begun(&mut self) {
        self.begun = true;
    }

    /// A client that is told to reload is told `rt:ready` again when it is live again.
    pub(super) fn again(&mut self) {
        (self.recovered, self.ready, self.replayed) = (false, false, 0);
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

    #[test]
    fn what_is_said_later_counts_and_what_is_not_said_again_stays() {
        let shown = ConnectRequest::read(
            &json!({ "since": "0000000000000000-00000000.5", "orders": ["a"] }),
        );
        let mut start = Start::new(shown, None, true);
        start.resume(ConnectRequest::read(&json!({ "orders": ["b"] })), Some(1));
        assert!(!start.is_held() && start.wish.since.is_some_and(|since| since.is_ok()));
        assert_eq!(start.wish.orders.len(), 2);
    }
}
