//! The sessions that have ended and still handle events of their clients. A session finishes what
//! it has begun in a task of its own (`session/finish.rs`), so that neither its transport nor the
//! client's next session waits for that.
//!
//! At most 16 sessions of one user finish at a time (`MAX_PER_USER`). What one more of them has
//! begun is dropped. A drain waits for all of them until its deadline.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::disconnects::DisconnectTarget;
use crate::{UserId, session::Session, values::SessionId};

/// The most sessions of one user that finish at a time, each with one handler.
const MAX_PER_USER: usize = 16;

/// The most disconnects that are remembered. A session takes its place a moment after it was
/// removed: this many last for longer.
const MAX_STOPS: usize = 1_024;

/// The sessions of one node that finish.
#[derive(Default)]
pub(crate) struct FinishingSessions {
    per_user: Mutex<HashMap<UserId, Vec<Arc<Session>>>>,
    /// Changed while `per_user` is locked.
    stops: Mutex<Stops>,
    /// Everything that a drain waits for.
    running: TaskTracker,
}

/// The users and sessions that were stopped.
#[derive(Default)]
struct Stops {
    count: u64,
    /// The last of them, oldest first.
    recent: VecDeque<DisconnectTarget>,
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
        let of_user = per_user.entry(session.user.clone()).or_default();
        if of_user.len() >= MAX_PER_USER {
            return None;
        }
        if self.was_stopped_since_removal(session) {
            // It was neither in the registry nor here when its user or itself was stopped.
            tracing::info!(
                session = %session.id,
                user = %session.user,
                "a session that was disconnected after its client had left begins nothing more"
            );
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
        let target = DisconnectTarget::User(user.clone());
        self.stops.lock().record(target);
        for session in per_user.get(user).into_iter().flatten() {
            session.stop_beginning();
        }
    }

    /// Lets no further event of the session begin, since it is disconnected.
    pub(crate) fn stop_session(&self, id: SessionId) {
        let per_user = self.per_user.lock();
        self.stops.lock().record(DisconnectTarget::Session(id));
        let mut sessions = per_user.values().flatten();
        if let Some(session) = sessions.find(|session| session.id == id) {
            session.stop_beginning();
        }
    }

    /// Returns how often a user or a session was stopped.
    pub(super) fn stops(&self) -> u64 {
        self.stops.lock().count
    }

    /// Returns whether the session or its user was stopped after the session was removed, or may
    /// have been.
    fn was_stopped_since_removal(&self, session: &Session) -> bool {
        let user = &session.user;
        session.removal().is_none_or(|removal| {
            let stops = self.stops.lock();
            stops.may_affect(user, session.id, removal.stops)
        })
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

impl Stops {
    fn record(&mut self, target: DisconnectTarget) {
        self.count += 1;
        if self.recent.len() == MAX_STOPS {
            self.recent.pop_front();
        }
        self.recent.push_back(target);
    }

    /// Returns whether the user or the session was among those that were stopped after the first
    /// `count`, or may have been: that many are not remembered.
    fn may_affect(&self, user: &UserId, session: SessionId, count: u64) -> bool {
        let later = usize::try_from(self.count - count).unwrap_or(usize::MAX);
        let mut targets = self.recent.iter().rev().take(later);
        later > self.recent.len() || targets.any(|target| target.has(user, session))
    }
}

impl Drop for FinishingPlace {
    fn drop(&mut self) {
        let user = &self.session.user;
        let mut per_user = self.sessions.per_user.lock();
        if let Some(of_user) = per_user.get_mut(user) {
            of_user.retain(|session| session.id != self.session.id);
            if of_user.is_empty() {
                per_user.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: usize) -> UserId {
        format!("u{n}").parse().unwrap()
    }

    #[test]
    fn a_stop_affects_its_user_or_session_and_no_other() {
        let mut stops = Stops::default();
        let session = SessionId::random();
        stops.record(DisconnectTarget::User(user(1)));
        stops.record(DisconnectTarget::Session(session));
        let other = SessionId::random();
        assert!(stops.may_affect(&user(1), other, 0));
        assert!(!stops.may_affect(&user(1), other, 1));
        assert!(!stops.may_affect(&user(2), other, 0));
        assert!(stops.may_affect(&user(2), session, 1));
        assert!(!stops.may_affect(&user(2), session, 2));
    }

    #[test]
    fn a_session_from_before_the_stops_that_are_remembered_may_be_affected() {
        let mut stops = Stops::default();
        for n in 0..=MAX_STOPS {
            stops.record(DisconnectTarget::User(user(n)));
        }
        assert!(stops.may_affect(&user(0), SessionId::random(), 0));
        assert!(!stops.may_affect(&user(0), SessionId::random(), 1));
        assert_eq!(stops.recent.len(), MAX_STOPS);
    }
}
