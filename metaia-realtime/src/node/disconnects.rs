//! Recent disconnect entries of the log. A connection that started before such an entry but
//! registers after it is ended, too, and a session that had left before it begins to handle no
//! further event.
//!
//! The last 1,024 are kept (`MAX_DISCONNECTS`). A connection that is older than the oldest of them
//! is refused, since an entry that was dropped may have disconnected its user. Its client
//! reconnects, and is younger then.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::{Position, UserId, values::SessionId};

/// Connections register a moment after they started. This many disconnects last for minutes.
const MAX_DISCONNECTS: usize = 1_024;

/// The recent disconnects of one node.
#[derive(Default)]
pub(crate) struct Disconnects(Mutex<RecentDisconnects>);

/// The sessions that an entry disconnects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DisconnectTarget {
    /// Those of the user that started before the entry.
    User(UserId),
    Session(SessionId),
}

impl DisconnectTarget {
    /// Returns whether this session of `user` is among them.
    pub(super) fn has(&self, user: &UserId, session: SessionId) -> bool {
        match self {
            Self::User(of_user) => of_user == user,
            Self::Session(id) => *id == session,
        }
    }
}

#[derive(Default)]
struct RecentDisconnects {
    /// Oldest first.
    entries: VecDeque<(Position, DisconnectTarget)>,
    /// The last entry that was dropped, or was never read.
    dropped_upto: Option<Position>,
}

impl Disconnects {
    /// Records what the entry at `at` disconnects.
    pub(super) fn record(&self, at: Position, disconnected: DisconnectTarget) {
        let mut recent = self.0.lock();
        if recent.entries.len() == MAX_DISCONNECTS {
            recent.dropped_upto = recent.entries.pop_front().map(|(at, _)| at);
        }
        recent.entries.push_back((at, disconnected));
    }

    /// Returns whether the user or the session was disconnected by an entry after `since`, or may
    /// have been.
    pub(super) fn may_affect(&self, user: &UserId, session: SessionId, since: Position) -> bool {
        let recent = self.0.lock();
        let is_too_old = recent
            .dropped_upto
            .is_some_and(|dropped| started_before(since, dropped));
        let mut later_entries = recent
            .entries
            .iter()
            .rev()
            .take_while(|(at, _)| started_before(since, *at));
        is_too_old || later_entries.any(|(_, disconnected)| disconnected.has(user, session))
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

    fn record(disconnects: &Disconnects, at: Position, of_user: u64) {
        disconnects.record(at, DisconnectTarget::User(user(of_user)));
    }

    /// Returns whether any session of the user is affected.
    fn may_affect(disconnects: &Disconnects, of_user: u64, since: Position) -> bool {
        disconnects.may_affect(&user(of_user), SessionId::random(), since)
    }

    #[test]
    fn a_disconnect_affects_sessions_that_started_before_it() {
        let disconnects = Disconnects::default();
        record(&disconnects, at(1, 5), 1);
        record(&disconnects, at(1, 7), 2);
        assert!(may_affect(&disconnects, 1, at(1, 4)));
        assert!(may_affect(&disconnects, 2, at(1, 5)));
        assert!(!may_affect(&disconnects, 1, at(1, 5)));
        assert!(!may_affect(&disconnects, 3, at(1, 4)));
        assert!(
            may_affect(&disconnects, 1, at(0, 9)),
            "the session started in another epoch"
        );
        disconnects.restart_after(at(2, 3));
        assert!(may_affect(&disconnects, 3, at(1, 9)));
        assert!(may_affect(&disconnects, 3, at(2, 2)));
        assert!(!may_affect(&disconnects, 1, at(2, 3)));
    }

    #[test]
    fn a_disconnect_of_a_session_affects_no_other() {
        let disconnects = Disconnects::default();
        let session = SessionId::random();
        disconnects.record(at(1, 5), DisconnectTarget::Session(session));
        assert!(disconnects.may_affect(&user(1), session, at(1, 4)));
        assert!(!disconnects.may_affect(&user(1), session, at(1, 5)));
        assert!(!may_affect(&disconnects, 1, at(1, 4)));
    }

    #[test]
    fn a_session_that_is_older_than_every_kept_disconnect_may_be_affected() {
        let disconnects = Disconnects::default();
        for n in 1..=MAX_DISCONNECTS as u64 + 1 {
            record(&disconnects, at(1, n), n);
        }
        assert!(may_affect(&disconnects, 0, at(1, 0)));
        assert!(!may_affect(&disconnects, 0, at(1, 1)));
        assert!(may_affect(&disconnects, 2, at(1, 1)));
        assert_eq!(disconnects.0.lock().entries.len(), MAX_DISCONNECTS);
    }
}
