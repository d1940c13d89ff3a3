//! Admission: registers sessions on the node, admits them to order rooms, and ends them.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use super::{AdmissionRefusal, HandshakeRefusal, Node, counted::JoinOutcome, registry::Entered};
use crate::{
    AccessDecision, AccessError, Identity, OrderId, Position, Room,
    session::{EndReason, EventRefusal, Session, SessionRemoval},
};

/// The time that the policy has to decide.
const POLICY_TIMEOUT: Duration = Duration::from_secs(5);

impl Node {
    /// Refuses sessions from here on.
    pub(super) fn begin_draining(&self) {
        let _admission = self.admission.lock();
        self.draining.store(true, Ordering::Release);
    }

    /// Refuses sessions from here on if `cut_off`, otherwise admits them again.
    pub(super) fn set_cut_off(&self, cut_off: bool) {
        let _admission = self.admission.lock();
        self.cut_off.store(cut_off, Ordering::Release);
    }

    /// Adds an authenticated session, and makes place for it among the sessions of its user.
    ///
    /// # Errors
    /// Returns the reason if the node is full, cut off or draining, or if the user was disconnected
    /// or the token revoked since the session started.
    pub(crate) fn register(&self, session: &Arc<Session>) -> Result<(), AdmissionRefusal> {
        let _admission = self.admission.lock();
        self.check_open()?;
        self.make_place_for(session);
        self.registry.add(session);
        // After it is in the registry: a disconnect finds it there, or was recorded before.
        let was_disconnected = self.was_disconnected_after(session, session.started_at);
        if was_disconnected {
            self.registry.remove(session);
            return Err(AdmissionRefusal::Disconnected);
        }
        // Likewise: it was authenticated before, and may have been revoked meanwhile.
        if self.is_revoked(session) {
            self.registry.remove(session);
            return Err(AdmissionRefusal::Revoked);
        }
        self.announcer.note_change(session.id);
        self.counters.connects.add(session.role());
        tracing::info!("User connected: {} ({})", session.user, session.role());
        Ok(())
    }

    /// Checks whether the node takes a session at present.
    ///
    /// # Errors
    /// Returns the reason if it takes none.
    pub(crate) fn check_open(&self) -> Result<(), HandshakeRefusal> {
        if self.is_draining() {
            return Err(HandshakeRefusal::Draining);
        }
        if self.is_cut_off() {
            return Err(HandshakeRefusal::CutOff);
        }
        if self.registry.len() >= self.limits.sessions {
            return Err(HandshakeRefusal::TooManySessions);
        }
        Ok(())
    }

    /// Ends sessions of the user beyond the user's cap: those of the same device first, and of
    /// these and of the others the least recently active ones.
    fn make_place_for(&self, session: &Session) {
        let mut others = self.registry.of_user(&session.user);
        let excess = (others.len() + 1).saturating_sub(self.limits.sessions_per_user);
        if excess == 0 {
            return;
        }
        let is_of_device =
            |other: &Session| session.device.is_some() && other.device == session.device;
        others.sort_by_cached_key(|other| (!is_of_device(other), other.active_at()));
        for idle in others.into_iter().take(excess) {
            self.end(&idle, EndReason::OverUserCap);
        }
    }

    /// Ends a session and removes it. Only the first call for a session does something.
    pub(crate) fn end(&self, session: &Session, reason: EndReason) {
        session.end(reason);
        // Before the session is removed: later disconnects may not find it any more.
        session.note_removal(SessionRemoval {
            dispatched: self.window.dispatched(),
            stops: self.finishing.stops(),
        });
        if self.registry.remove(session) {
            // The session may have ended before for another reason, which counts.
            let reason = session.ended_by().unwrap_or(reason);
            // The positions of the other connections must be up to date: they decide whether this
            // client's position waits together with an earlier one.
            session.update_other_connections(self);
            self.devices.end(session);
            self.announcer.note_change(session.id);
            self.counters.ends.add(reason);
            tracing::info!(
                "User disconnected: {} ({}) {reason}",
                session.user,
                session.role()
            );
        }
    }

    /// Returns whether the user of a session that has ended was disconnected after that, or the
    /// session itself; or may have been.
    pub(crate) fn was_disconnected_after_end(&self, session: &Session) -> bool {
        let removal = session.removal();
        removal.is_some_and(|removal| self.was_disconnected_after(session, removal.dispatched))
    }

    fn was_disconnected_after(&self, session: &Session, since: Position) -> bool {
        let user = &session.user;
        self.disconnects.may_affect(user, session.id, since)
    }

    /// Adds the session to the order's room if the policy allows it at that moment. `join_state`
    /// adds the room to the session's state, with the entry after which the session receives the
    /// room's entries. It is called at most once, and must not call the registry.
    ///
    /// The session hands the last part of its join down as a closure, because that must happen
    /// under the registry's lock: between the comparison with the rechecks that came while the
    /// policy decided, and the next one that looks for the session in the room.
    ///
    /// # Errors
    /// Returns [`EventRefusal::Forbidden`] if the policy denies it, and
    /// [`EventRefusal::Unavailable`] if it cannot decide or the session has ended.
    pub(crate) async fn admit_to_room(
        &self,
        session: &Session,
        order: &OrderId,
        join_state: impl Fn(&Session, Room),
    ) -> Result<(), EventRefusal> {
        let admitted = self.try_admit_to_room(session, order, join_state).await;
        self.counters.joins.add(match admitted {
            Ok(()) => {
                self.announcer.note_change(session.id);
                JoinOutcome::Allowed
            }
            Err(EventRefusal::Forbidden) => JoinOutcome::Denied,
            Err(_) => JoinOutcome::Undecided,
        });
        admitted
    }

    async fn try_admit_to_room(
        &self,
        session: &Session,
        order: &OrderId,
        join_state: impl Fn(&Session, Room),
    ) -> Result<(), EventRefusal> {
        let mut join = self.registry.begin_join(order);
        // Asks again if a recheck of the order arrives while the policy decides.
        loop {
            match self.ask_policy(&session.identity().who, order).await {
                Some(AccessDecision::Allowed) => {}
                Some(AccessDecision::Denied) => return Err(EventRefusal::Forbidden),
                None => return Err(EventRefusal::Unavailable),
            }
            match self.registry.enter(session, &mut join, &join_state) {
                Entered::Yes => return Ok(()),
                Entered::AskAgain => {}
                Entered::Gone => return Err(EventRefusal::Unavailable),
            }
        }
    }

    /// Removes the session from a room.
    pub(crate) fn leave(&self, session: &Session, room: &Room) {
        self.registry.leave(session, room);
        self.announcer.note_change(session.id);
    }

    /// Announces what has changed about a session to the directory.
    pub(crate) fn announce_change(&self, session: &Session) {
        self.announcer.note_change(session.id);
    }

    /// Asks the policy once. Returns `None` if it cannot decide, or not within 5 s
    /// (`POLICY_TIMEOUT`).
    async fn ask_policy(&self, identity: &Identity, order: &OrderId) -> Option<AccessDecision> {
        let deadline = Instant::now() + POLICY_TIMEOUT;
        match self.ask_policy_until(identity, order, deadline).await {
            Ok(decision) => Some(decision),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(%order, error, "access cannot be decided");
                None
            }
        }
    }

    /// Asks the policy once.
    ///
    /// # Errors
    /// Returns [`Undecided`] if it cannot decide, or not before `deadline` and within 5 s
    /// (`POLICY_TIMEOUT`).
    pub(super) async fn ask_policy_until(
        &self,
        identity: &Identity,
        order: &OrderId,
        deadline: Instant,
    ) -> Result<AccessDecision, Undecided> {
        let deadline = deadline.min(Instant::now() + POLICY_TIMEOUT);
        let deciding = self.access.may_join(identity, order);
        let decided = timeout_at(deadline, deciding).await;
        Ok(decided.map_err(|_| Undecided::Late)??)
    }
}

/// Reason why the policy has made no decision.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undecided {
    #[error("the policy did not decide in time")]
    Late,
    #[error(transparent)]
    Failed(#[from] AccessError),
}
