//! The sessions that have ended and still handle events of their clients. A session finishes what
//! it has begun in a task of its own (`session/finish.rs`), so that neither its transport nor the
//! client's next session waits for that.
//!
//! At most 16 sessions of one user finish at a time (`MAX_PER_USER`). What one more of them has
//! begun is dropped. A drain waits for all of them until its deadline.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use crate::{UserId, session::Session, values::SessionId};

/// The most sessions of one user that finish at a time, each with one handler.
const MAX_PER_USER: usize = 16;

/// The sessions of one node that finish.
#[derive(Default)]
pub(crate) struct FinishingSessions {
    per_user: Mutex<HashMap<UserId, Vec<Arc<Session>>>>,
    /// How often a user or a session was stopped. Changed while `per_user` is locked.
    stops: AtomicU64,
    /// Everything that a drain waits for.
    running: TaskTracker,
}

/// The place of one session that finishes. Dropping it gives the place back.
pub(crate) struct FinishingPlace {
    sessions: Arc<FinishingSessions>,
    session: Arc<Session>,
    _running: TaskTrackerToken,
}

impl FinishingSessions {
    /// Takes a place for a session that has ended. Returns `None` if its user has no place left.
    pub(crate) fn enter(self: &Arc<Self>, session: &Arc<Session>) -> Option<FinishingPlace> {
        let mut per_user = self.per_user.lock();
        let of_user = per_user.entry(session.identity.user.clone()).or_default();
        if of_user.len() >= MAX_PER_USER {
            return None;
        }
        if session
            .removal()
            .is_none_or(|removal| removal.stops != self.stops())
        {
            // It was neither in the registry nor here when somebody was stopped: perhaps its user.
            session.stop_beginning();
        }
        of_user.push(Arc::clone(session));
        Some(FinishingPlace {
            sessions: Arc::clone(self),
            session: Arc::clone(session),
            _running: self.running.token(),
        })
    }

    /// Lets no further event of the user's sessions begin, since the user is disconnected.
    pub(crate) fn stop_user(&self, user: &UserId) {
        let per_user = self.per_user.lock();
        self.stops.fetch_add(1, Ordering::AcqRel);
        for session in per_user.get(user).into_iter().flatten() {
            session.stop_beginning();
        }
    }

    /// Lets no further event of the session begin, since it is disconnected.
    pub(crate) fn stop_session(&self, id: SessionId) {
        let per_user = self.per_user.lock();
        self.stops.fetch_add(1, Ordering::AcqRel);
        let mut sessions = per_user.values().flatten();
        if let Some(session) = sessions.find(|session| session.id == id) {
            session.stop_beginning();
        }
    }

    /// Returns how often a user or a session was stopped.
    pub(super) fn stops(&self) -> u64 {
        self.stops.load(Ordering::Acquire)
    }

    /// Returns a token for the task of a session that has not ended: it may have to finish.
    pub(crate) fn session_task(&self) -> TaskTrackerToken {
        self.running.token()
    }

    /// Waits until the tasks of all sessions have ended, and all sessions have finished. Cancel
    /// safe.
    pub(super) async fn all_finished(&self) {
        self.running.close();
        self.running.wait().await;
    }

    /// Returns how many sessions have not finished.
    pub(super) fn len(&self) -> usize {
        self.per_user.lock().values().map(Vec::len).sum()
    }
}

impl Drop for FinishingPlace {
    fn drop(&mut self) {
        let user = &self.session.identity.user;
        let mut per_user = self.sessions.per_user.lock();
        if let Some(of_user) = per_user.get_mut(user) {
            of_user.retain(|session| session.id != self.session.id);
            if of_user.is_empty() {
                per_user.remove(user);
            }
        }
    }
}
