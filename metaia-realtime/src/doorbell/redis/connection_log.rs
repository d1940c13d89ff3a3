//! Log lines about the connection to Redis: one for each change of its state.

use redis::{ErrorKind, RedisError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Connected,
    /// The server does not answer.
    Silent,
    /// The server answers and refuses: it needs another password, or is not a suitable Redis.
    Refused,
}

pub(super) struct ConnectionLog<'a> {
    place: &'a str,
    last: Option<LinkState>,
}

impl<'a> ConnectionLog<'a> {
    pub(super) const fn new(place: &'a str) -> Self {
        Self { place, last: None }
    }

    /// Records the state. Returns whether it differs from the last one.
    fn changes_to(&mut self, state: LinkState) -> bool {
        self.last.replace(state) != Some(state)
    }

    pub(super) fn connected(&mut self) {
        if self.changes_to(LinkState::Connected) {
            tracing::info!(redis = self.place, "the doorbell is connected");
        }
    }

    pub(super) fn lost(&mut self, error: &RedisError) {
        // The texts of these errors are those of Redis or the system: they contain no password.
        let cause = error as &dyn std::error::Error;
        let redis = self.place;
        match error.kind() {
            ErrorKind::Io | ErrorKind::Parse => {
                if self.changes_to(LinkState::Silent) {
                    tracing::warn!(
                        redis,
                        error = cause,
                        "the doorbell cannot be reached: other nodes' events arrive by polling; \
                         trying again"
                    );
                }
            }
            _ => {
                if self.changes_to(LinkState::Refused) {
                    tracing::error!(
                        redis,
                        error = cause,
                        "the doorbell is refused: other nodes' events arrive by polling; \
                         trying again"
                    );
                }
            }
        }
    }
}
