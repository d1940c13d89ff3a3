//! Admission: which sessions are on this node, in which order rooms, and until when.

use std::{
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use super::{Node, registry::Entered};
use crate::{
    AccessDecision, Identity, OrderId, Room,
    session::{EndReason, Refusal, Session},
};

/// A policy that does not answer in this time could not decide.
const POLICY_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two tries to ask it.
const POLICY_PAUSE: Duration = Duration::from_millis(200);

impl Node {
    fn admission(&self) -> MutexGuard<'_, ()> {
        self.admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits no session from here on.
    pub(super) fn begin_draining(&self) {
        let _admission = self.admission();
        self.draining.store(true, Ordering::Release);
    }

    /// Admits no session from here on, or any again.
    pub(super) fn set_cut_off(&self, cut_off: bool) {
        let _admission = self.admission();
        self.cut_off.store(cut_off, Ordering::Release);
    }

    /// Adds an authenticated session, making place for it: the same device's former session is
    /// ended, and beyond the user's cap the least recently active one.
    ///
    /// Returns `false` if the node is full, cut off, or being emptied, or the user was disconnected
    /// since the session began.
    pub(crate) fn register(&self, session: &Arc<Session>) -> bool {
        let _admission = self.admission();
        if self.is_draining() || self.is_cut_off() || self.registry.len() >= self.limits.sessions {
            return false;
        }
        let others = self.registry.of_user(&session.identity.user);
        let (same_device, mut others): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|other| session.device.is_some() && other.device == session.device);
        for former in same_device {
            self.end(&former, EndReason::Replaced);
        }
        others.sort_by_key(|other| other.active_at());
        let excess = (others.len() + 1).saturating_sub(self.limits.sessions_per_user);
        for idle in others.into_iter().take(excess) {
            self.end(&idle, EndReason::OverUserCap);
        }
        self.registry.add(session);
        // After it is in the registry: a disconnect finds it there, or has been noted before.
        if self
            .disconnects
            .concern(&session.identity.user, session.began_at)
        {
            self.registry.remove(session);
            return false;
        }
        self.announcer.changed(session.id);
        self.counters.connects.add(session.identity.role.as_str());
        tracing::info!(
            "User connected: {} ({})",
            session.identity.user,
            session.identity.role
        );
        true
    }

    /// Ends a session and removes it. Only the first call for a session does something.
    pub(crate) fn end(&self, session: &Session, end: EndReason) {
        session.end(end);
        if self.registry.remove(session) {
            let end = session.ended_by().unwrap_or(end);
            self.devices.end(session, self.epoch());
            self.announcer.changed(session.id);
            self.counters.ends.add(end.code());
            tracing::info!(
                "User disconnected: {} ({}) {end}",
                session.identity.user,
                session.identity.role
            );
        }
    }

    /// Lets the session into the order's room if the policy allows it, as access stands when it
    /// enters. `join_state` sets from where on the room's entries are wanted; it is called at most
    /// once, and must not call the registry.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] if the policy denies it; [`Refusal::Unavailable`] if it cannot
    /// decide, or the session has ended.
    pub(crate) async fn admit(
        &self,
        session: &Session,
        order: &OrderId,
        join_state: impl Fn(&Session, Room),
    ) -> Result<(), Refusal> {
        let admitted = self.try_admit(session, order, join_state).await;
        self.counters.joins.add(match admitted {
            Ok(()) => {
                self.announcer.changed(session.id);
                "allowed"
            }
            Err(Refusal::Forbidden) => "denied",
            Err(_) => "unavailable",
        });
        admitted
    }

    async fn try_admit(
        &self,
        session: &Session,
        order: &OrderId,
        join_state: impl Fn(&Session, Room),
    ) -> Result<(), Refusal> {
        let mut join = self.registry.begin_join(order);
        loop {
            match self.decide(&session.identity, order, 1).await {
                Some(AccessDecision::Allowed) => {}
                Some(AccessDecision::Denied) => return Err(Refusal::Forbidden),
                None => return Err(Refusal::Unavailable),
            }
            match self.registry.enter(session, &mut join, &join_state) {
                Entered::Yes => return Ok(()),
                Entered::AskAgain => {}
                Entered::Gone => return Err(Refusal::Unavailable),
            }
        }
    }

    /// Removes the session from a room.
    pub(crate) fn leave(&self, session: &Session, room: &Room) {
        self.registry.leave(session, room);
        self.announcer.changed(session.id);
    }

    /// Asks the policy, up to `tries` times. Returns `None` if it could not decide.
    pub(crate) async fn decide(
        &self,
        who: &Identity,
        order: &OrderId,
        tries: u32,
    ) -> Option<AccessDecision> {
        for attempt in 1..=tries {
            match tokio::time::timeout(POLICY_TIMEOUT, self.access.may_join(who, order)).await {
                Ok(Ok(access)) => return Some(access),
                Ok(Err(error)) => {
                    tracing::warn!(%order, error = &error as &dyn std::error::Error, "access cannot be decided");
                }
                Err(_) => tracing::warn!(%order, "access was not decided in time"),
            }
            if attempt < tries {
                tokio::time::sleep(POLICY_PAUSE).await;
            }
        }
        None
    }
}
