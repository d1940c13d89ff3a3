//! Recent disconnect entries of the log. A connection that started before such an entry but
//! registers after it is ended, too.
//!
//! The last 1,024 are kept (`MAX_DISCONNECTS`). A connection that is older than the oldest of them
//! is refused, since an entry that was dropped may have disconnected its user. Its client
//! reconnects, and is younger then.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::{Position, UserId};

/// Connections register a moment after they started. This many disconnects last for minutes.
const MAX_DISCONNECTS: usize = 1_024;

/// The recent disconnects of one node.
#[derive(Default)]
pub(crate) struct Disconnects(Mutex<RecentDisconnects>);

#[derive(Default)]
struct RecentDisconnects {
    /// Oldest first.
    entries: VecDeque<(Position, UserId)>,
    /// The last entry that was dropped, or was never read.
    dropped_upto: Option<Position>,
}

impl Disconnects {
    /// Records that the entry at `at` disconnects the user's sessions that started before it.
    pub(super) fn record(&self, at: Position, user: UserId) {
        let mut recent = self.0.lock();
        if recent.entries.len() == MAX_DISCONNECTS {
            recent.dropped_upto = recent.entries.pop_front().map(|(at, _)| at);
        }
        recent.entries.push_back((at, user));
    }

    /// Returns whether a session of the user that started at `started_at` was disconnected since,
    /// or may have been.
    pub(super) fn may_affect(&self, user: &UserId, started_at: Position) -> bool {
        let recent = self.0.lock();
        let is_too_old = recent
            .dropped_upto
            .is_some_and(|dropped| started_before(started_at, dropped));
        let mut later_entries = recent
            .entries
            .iter()
            .rev()
            .take_while(|(at, _)| started_before(started_at, *at));
        is_too_old || later_entries.any(|(_, disconnected)| disconnected == user)
    }

    /// Discards all entries: those up to `at` were not read, or not all of them could be.
    pub(super) fn restart_after(&self, at: Position) {
        *self.0.lock() = RecentDisconnects {
            entries: VecDeque::new(),
            dropped_upto: Some(at),
        };
    }
}

/// Returns whether a session that started at `started_at` was there before the entry at `entry`. A
/// session that started in another epoch was.
pub(super) fn started_before(started_at: Position, entry: Position) -> bool {
    started_at.epoch() != entry.epoch() || started_at.n() < entry.n()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Epoch, EventId};

    fn at(epoch: u64, n: u64) -> Position {
        Position::new(Epoch::from_bits(epoch), n, EventId::from_bytes([7; 16]))
    }

    fn user(n: u64) -> UserId {
        format!("u{n}").parse().unwrap()
    }

    #[test]
    fn a_disconnect_affects_sessions_that_started_before_it() {
        let disconnects = Disconnects::default();
        disconnects.record(at(1, 5), user(1));
        disconnects.record(at(1, 7), user(2));
        assert!(disconnects.may_affect(&user(1), at(1, 4)));
        assert!(disconnects.may_affect(&user(2), at(1, 5)));
        assert!(!disconnects.may_affect(&user(1), at(1, 5)));
        assert!(!disconnects.may_affect(&user(3), at(1, 4)));
        assert!(
            disconnects.may_affect(&user(1), at(0, 9)),
            "the session started in another epoch"
        );
        disconnects.restart_after(at(2, 3));
        assert!(disconnects.may_affect(&user(3), at(1, 9)));
        assert!(disconnects.may_affect(&user(3), at(2, 2)));
        assert!(!disconnects.may_affect(&user(1), at(2, 3)));
    }

    #[test]
    fn a_session_that_is_older_than_every_kept_disconnect_may_be_affected() {
        let disconnects = Disconnects::default();
        for n in 1..=MAX_DISCONNECTS as u64 + 1 {
            disconnects.record(at(1, n), user(n));
        }
        assert!(disconnects.may_affect(&user(0), at(1, 0)));
        assert!(!disconnects.may_affect(&user(0), at(1, 1)));
        assert!(disconnects.may_affect(&user(2), at(1, 1)));
        assert_eq!(disconnects.0.lock().entries.len(), MAX_DISCONNECTS);
    }
}
