//! The start of a session: what the client asks for, and how far the session has got with it.

use super::request::ConnectRequest;
use crate::Position;

/// A session that starts: from CONNECT until `rt:ready` was sent.
#[derive(Debug, Default)]
pub(crate) struct Start {
    pub(super) request: ConnectRequest,
    /// The head of the log when the client connected. A client that resumes from no position
    /// receives what follows it. `None` if the log could not be read then.
    pub(super) log_head_at_connect: Option<Position>,
    /// The client asked to send `rt:resume` first: nothing is handed over until it does, or until
    /// `RESUME_EVENT_TIMEOUT`.
    awaiting_resume: bool,
    /// The id under which the client wants its `rt:resume` acknowledged.
    pub(super) resume_ack: Option<i64>,
    /// The cursor is set: the position from which the session continues is known.
    pub(super) cursor_is_set: bool,
    /// The client's position was honoured.
    pub(super) recovered: bool,
    /// Entries replayed since the cursor was set, or since the last reset.
    pub(super) replayed: usize,
    /// `rt:ready` was sent.
    pub(super) ready_sent: bool,
}

impl Start {
    /// Returns the start of a session whose client asks for `request`. With `awaiting_resume` it
    /// waits for `rt:resume`.
    pub(crate) fn new(
        request: ConnectRequest,
        log_head_at_connect: Option<Position>,
        awaiting_resume: bool,
    ) -> Self {
        Self {
            request,
            log_head_at_connect,
            awaiting_resume,
            ..Self::default()
        }
    }

    pub(super) const fn is_awaiting_resume(&self) -> bool {
        self.awaiting_resume
    }

    /// Stops waiting for `rt:resume`: the request that the client sent when it connected counts.
    pub(super) fn stop_awaiting_resume(&mut self) {
        self.awaiting_resume = false;
    }

    /// Applies the client's `rt:resume`. Members that it does not name keep their values.
    pub(super) fn apply_resume(&mut self, request: ConnectRequest, ack: Option<i64>) {
        self.request.update(request);
        self.resume_ack = ack;
        self.awaiting_resume = false;
    }

    /// Forgets what was replayed, since the client is told to reload: it receives `rt:ready` again
    /// when the session is live again.
    pub(super) fn restart_after_reset(&mut self) {
        self.recovered = false;
        self.replayed = 0;
        self.ready_sent = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_resume_adds_to_what_the_client_asked_for_at_connect() {
        let request = ConnectRequest::read(
            &json!({ "since": "0000000000000000-00000000.5", "orders": ["a"] }),
        );
        let mut start = Start::new(request, None, true);
        start.apply_resume(ConnectRequest::read(&json!({ "orders": ["b"] })), Some(1));
        assert!(!start.is_awaiting_resume());
        assert!(start.request.since.is_some_and(|since| since.is_ok()));
        assert_eq!(start.request.orders.len(), 2);
    }
}
