//! Rechecks: the policy is asked again for a session that is in an order's room, until it decides.
//! It has the time for which a session may be held back (`Limits::recheck_hold`); then the session
//! leaves the room.
//!
//! At most 256 rechecks are asked for at a time (`MAX_RECHECKS_AT_ONCE`); further ones wait. A
//! session must not lose a room because others wait, too: the time of a recheck that waits begins
//! when the policy is asked, if the policy has decided any recheck meanwhile. If it has decided
//! none, it fails for all of them, and the time begins with the wait.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout_at},
};

use super::{Node, admission::Undecided};
use crate::{AccessDecision, Identity, OrderId, failure_log::FailureLog};

/// The most rechecks that the policy is asked for at a time. A MongoDB handle has twice as many
/// operations at a time, so that joins and requests go on while all access is decided again.
const MAX_RECHECKS_AT_ONCE: usize = 256;

/// The pause after the first call of the policy that fails. It doubles with each call.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// The rechecks that a node asks its policy for.
pub(super) struct RecheckTurns {
    /// One permit per recheck that the policy is asked for.
    permits: Semaphore,
    /// The time when the policy last decided a recheck.
    decided_at: Mutex<Instant>,
    failures: Mutex<FailureLog>,
}

impl Default for RecheckTurns {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(MAX_RECHECKS_AT_ONCE),
            decided_at: Mutex::new(Instant::now()),
            failures: Mutex::default(),
        }
    }
}

impl RecheckTurns {
    /// Waits for the first turn of a recheck, which has `hold` from `requested_at` on. Returns the
    /// turn and its deadline, or `None` if the policy has decided nothing for that time. Cancel
    /// safe.
    async fn first(
        &self,
        requested_at: Instant,
        hold: Duration,
    ) -> Option<(SemaphorePermit<'_>, Instant)> {
        let waits_since = Instant::now();
        let is_in_time = requested_at + hold > waits_since;
        // A recheck that is older waited for an earlier one of its room, which waited for a turn.
        let began = if is_in_time {
            requested_at
        } else {
            waits_since
        };
        let mut turn = Box::pin(self.permits.acquire());
        loop {
            let decided_at = self.decided_after(waits_since);
            let deadline = decided_at.unwrap_or(began) + hold;
            if let Ok(permit) = timeout_at(deadline, &mut turn).await {
                let has_decided = self.decided_after(waits_since).is_some();
                let asked_at = if has_decided { Instant::now() } else { began };
                return Some((permit.ok()?, asked_at + hold));
            }
            if self.decided_after(waits_since) == decided_at {
                return None;
            }
        }
    }

    /// Waits for another turn. Returns `None` if it does not come before `deadline`. Cancel safe.
    async fn again(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        let turn = timeout_at(deadline, self.permits.acquire()).await;
        turn.ok()?.ok()
    }

    /// Returns when the policy last decided a recheck, if that was after `time`.
    fn decided_after(&self, time: Instant) -> Option<Instant> {
        let decided_at = *self.decided_at.lock();
        (decided_at > time).then_some(decided_at)
    }

    fn note_decision(&self) {
        *self.decided_at.lock() = Instant::now();
        let log = || tracing::info!("access to orders can be decided again");
        self.failures.lock().worked(log);
    }

    fn note_failure(&self, order: &OrderId, error: &Undecided) {
        self.failures.lock().failed(|| {
            let error: &dyn std::error::Error = error;
            tracing::warn!(%order, error, "access cannot be decided again; retrying");
        });
    }
}

impl Node {
    /// Asks the policy for a session that is in the order's room already, again and again until it
    /// decides. Returns `None` if it does not within [`Limits::recheck_hold`] from `requested_at`
    /// on. Cancel safe.
    ///
    /// [`Limits::recheck_hold`]: crate::Limits::recheck_hold
    pub(crate) async fn decide_recheck(
        &self,
        identity: &Identity,
        order: &OrderId,
        requested_at: Instant,
    ) -> Option<AccessDecision> {
        let decision = self.ask_until_decided(identity, order, requested_at).await;
        if decision.is_none() {
            tracing::info!(
                user = %identity.user,
                %order,
                held = ?self.limits.recheck_hold,
                "a session leaves an order's room: access could not be decided"
            );
        }
        decision
    }

    async fn ask_until_decided(
        &self,
        identity: &Identity,
        order: &OrderId,
        requested_at: Instant,
    ) -> Option<AccessDecision> {
        let hold = self.limits.recheck_hold;
        let first = self.recheck_turns.first(requested_at, hold);
        let (mut turn, deadline) = first.await?;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.ask_policy_until(identity, order, deadline).await {
                Ok(decision) => {
                    // Before the turn is passed on: the next one has its time from then on.
                    self.recheck_turns.note_decision();
                    return Some(decision);
                }
                Err(error) => self.recheck_turns.note_failure(order, &error),
            }
            // Others have their turn in the pause.
            drop(turn);
            sleep_until(deadline.min(Instant::now() + pause)).await;
            if Instant::now() >= deadline {
                return None;
            }
            pause = MAX_PAUSE.min(pause * 2);
            turn = self.recheck_turns.again(deadline).await?;
        }
    }
}
