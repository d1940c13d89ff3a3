//! How a session starts: where its client wants to go on, and what became of that.

use super::request::ConnectRequest;
use crate::Position;

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
