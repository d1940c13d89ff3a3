//! The announcer: tells the directory which sessions have changed, twice a second and in batches,
//! and renews the node's lease every 5 s.
//!
//! A changed session is noted by its id, once, and looked up when it is announced. The notes are
//! bounded by twice the session limit. Beyond that they are discarded, and all sessions are
//! announced again. The same happens after an announcement that failed, since the directory may or
//! may not have it, and after the directory has let the lease expire.

mod task;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;

pub(super) use task::{LEAVE_TIMEOUT, run};

use crate::{presence::DynDirectory, values::SessionId};

/// Changes per announcement.
const BATCH: usize = 1_000;

/// The changes that a node has yet to announce.
pub(crate) struct Announcer {
    /// `None`: the node announces nothing.
    directory: Option<Arc<dyn DynDirectory>>,
    pending: Mutex<PendingChanges>,
    /// The most sessions that are noted.
    max_pending: usize,
}

#[derive(Debug, Default)]
struct PendingChanges {
    sessions: HashSet<SessionId>,
    /// There were more than `max_pending`: all sessions must be announced.
    overflowed: bool,
}

impl Announcer {
    pub(super) fn new(directory: Option<Arc<dyn DynDirectory>>, max_sessions: usize) -> Self {
        Self {
            directory,
            pending: Mutex::default(),
            max_pending: max_sessions.saturating_mul(2),
        }
    }

    pub(super) fn directory(&self) -> Option<&dyn DynDirectory> {
        self.directory.as_deref()
    }

    /// Returns whether there is a directory to announce to.
    pub(super) const fn has_directory(&self) -> bool {
        self.directory.is_some()
    }

    /// Notes that a session has registered, ended, or changed its rooms.
    pub(super) fn note_change(&self, session: SessionId) {
        if self.directory.is_none() {
            return;
        }
        let mut pending = self.pending.lock();
        if pending.sessions.len() < self.max_pending {
            pending.sessions.insert(session);
        } else {
            *pending = PendingChanges {
                overflowed: true,
                ..PendingChanges::default()
            };
        }
    }

    /// Notes sessions, however many there are.
    fn note_all(&self, sessions: impl IntoIterator<Item = SessionId>) {
        self.pending.lock().sessions.extend(sessions);
    }

    /// Removes up to `BATCH` noted sessions. Also returns whether notes were discarded since the
    /// last [`clear`](Self::clear).
    fn take_batch(&self) -> (Vec<SessionId>, bool) {
        let mut pending = self.pending.lock();
        let batch: Vec<SessionId> = pending.sessions.iter().take(BATCH).copied().collect();
        for id in &batch {
            pending.sessions.remove(id);
        }
        (batch, pending.overflowed)
    }

    /// Discards all notes.
    fn clear(&self) {
        *self.pending.lock() = PendingChanges::default();
    }
}
