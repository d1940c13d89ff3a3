//! How the line stands, said once each time it changes.

use redis::{ErrorKind, RedisError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Connected,
    /// Nobody answers.
    Silent,
    /// Somebody answers, and refuses: another password is needed, or another Redis.
    Refused,
}

pub(super) struct FailureLog<'a> {
    place: &'a str,
    last: Option<Stand>,
}

impl<'a> FailureLog<'a> {
    pub(super) const fn new(place: &'a str) -> Self {
        Self { place, last: None }
    }

    fn is_new(&mut self, stand: Stand) -> bool {
        self.last.replace(stand) != Some(stand)
    }

    pub(super) fn connected(&mut self) {
        if self.is_new(Stand::Connected) {
            tracing::info!(redis = self.place, "the doorbell is connected");
        }
    }

    /// The texts of these errors are Redis' own, or the system's: no password is in them.
    pub(super) fn lost(&mut self, error: &RedisError) {
        let (redis, cause) = (self.place, error as &dyn std::error::Error);
        let silent = matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse);
        if !self.is_new(if silent {
            Stand::Silent
        } else {
            Stand::Refused
        }) {
            return;
        }
        if silent {
            tracing::warn!(
                redis,
                error = cause,
                "the doorbell cannot be reached: other nodes' events come by polling; trying again"
            );
        } else {
            tracing::error!(
                redis,
                error = cause,
                "the doorbell is refused: other nodes' events come by polling; trying again"
            );
        }
    }
}
