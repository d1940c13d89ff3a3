//! The end of a session's token, and its announcement (`rt:expiring`).

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::future::OptionFuture;
use tokio::time::{Instant, Sleep};

use super::{
    Outgoing, Session,
    identity::SessionIdentity,
    wire::{self, EXPIRING},
};
use crate::planted_faults::{Fault, planted};

/// The time between two comparisons of the end of a token with the clock, since wall time may jump.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

impl Session {
    /// Returns whether the session's token has expired.
    pub(super) fn is_expired(&self) -> bool {
        let identity = self.identity();
        identity.end().is_some_and(|end| end <= identity.now()) && !is_ignored()
    }

    /// Queues `rt:expiring` if the token expires soon: once for each token, and not before
    /// `rt:ready`.
    pub(super) fn announce_expiry(&self) {
        let identity = self.identity();
        let is_due = |at: i64| at <= identity.now();
        let Some(expires_at) = identity.who.expires_at else {
            return;
        };
        if !identity.announcement().is_some_and(is_due) {
            return;
        }
        let mut state = self.state();
        if !state.is_ready() {
            return;
        }
        identity.set_announced();
        let announcement = Outgoing::control(EXPIRING, wire::expiring(expires_at));
        state.outbox_mut().push(announcement);
    }

    /// Returns when a session that is not being driven is to be, since its token may have expired,
    /// or expire soon; `None` if the token does not expire.
    pub(crate) fn next_expiry_check(&self) -> Option<Instant> {
        let identity = self.identity();
        let now = identity.now();
        let end = identity.end().filter(|_| !is_ignored())?;
        // One that is due waits for `rt:ready`, after which the session is driven in any case.
        let can_announce = |at: &i64| *at > now || self.state().is_ready();
        let announcement = identity.announcement().filter(can_announce);
        let left_ms = announcement
            .map_or(end, |at| at.min(end))
            .saturating_sub(now);
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        Some(Instant::now() + left.min(CHECK_INTERVAL))
    }
}

/// Returns whether tokens are planted to last for ever.
fn is_ignored() -> bool {
    planted(Fault::SessionOutlivesToken)
}

/// The timer of a session's present token, for the session's task.
pub(super) struct TokenTimer {
    identity: Arc<SessionIdentity>,
    /// On the heap, as the task is.
    sleep: OptionFuture<Pin<Box<Sleep>>>,
}

impl TokenTimer {
    pub(super) fn new(session: &Session) -> Self {
        let check = session.next_expiry_check();
        Self {
            identity: session.identity(),
            sleep: check
                .map(|at| Box::pin(tokio::time::sleep_until(at)))
                .into(),
        }
    }

    /// Begins again if the session has another token by now.
    pub(super) fn follow(&mut self, session: &Session) {
        let identity = session.identity();
        if !Arc::ptr_eq(&identity, &self.identity) {
            *self = Self::new(session);
        }
    }

    /// Waits until the token is to be looked at. Returns `None` at once if it does not expire.
    /// Cancel safe. Begin again after that.
    pub(super) async fn elapsed(&mut self) -> Option<()> {
        (&mut self.sleep).await
    }
}
