//! The progress of an upgrade from polling to a WebSocket, and the answers to polls meanwhile.
//!
//! A client that has switched polls no more, and POSTs nothing more. Its transport ends once, in
//! the engine or over its WebSocket, whichever it has by then: both are decided under one lock.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::session::EndReason;

/// The time after which a poll is answered with a NOOP during an upgrade, as in the official
/// server.
const NOOP_DELAY: Duration = Duration::from_millis(100);

/// The progress of a session's upgrade.
#[derive(Debug, Default)]
pub(super) struct UpgradeState {
    progress: Mutex<UpgradeProgress>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct UpgradeProgress {
    stage: UpgradeStage,
    /// The number of POSTs that are being passed to the engine.
    posts: u32,
    /// The transport has ended, or is about to.
    is_closed: bool,
    /// The last session that has ended, and when it did.
    ended: Option<EndedSession>,
}

/// A session that ended while its client polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndedSession {
    pub(super) reason: EndReason,
    pub(super) at: Instant,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UpgradeStage {
    #[default]
    None,
    /// A WebSocket is open.
    Opened,
    /// The client waits for the end of its poll.
    Probed,
    /// The client has switched.
    Switched,
    /// The WebSocket is served without the engine.
    Moved,
}

/// Error for a transport that has ended before it could be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AlreadyClosed;

impl UpgradeState {
    /// Begins an attempt. Returns false if another one is under way, or has succeeded.
    pub(super) fn begin(&self) -> bool {
        let mut progress = self.progress.lock();
        let begins = progress.stage == UpgradeStage::None && !progress.is_closed;
        if begins {
            progress.stage = UpgradeStage::Opened;
        }
        begins
    }

    pub(super) fn set(&self, stage: UpgradeStage) {
        self.change(|progress| progress.stage = stage);
    }

    /// Ends an attempt, unless the client has switched.
    pub(super) fn abandon(&self) {
        self.change(|progress| {
            if progress.stage < UpgradeStage::Switched {
                progress.stage = UpgradeStage::None;
            }
        });
    }

    pub(super) fn has_switched(&self) -> bool {
        self.progress.lock().stage >= UpgradeStage::Switched
    }

    #[cfg(all(test, feature = "testing"))]
    pub(super) fn has_moved(&self) -> bool {
        self.progress.lock().stage == UpgradeStage::Moved
    }

    /// Records that the WebSocket is served without the engine from now on.
    ///
    /// # Errors
    /// Returns an error if the transport has ended.
    pub(super) fn complete(&self) -> Result<(), AlreadyClosed> {
        let mut progress = self.progress.lock();
        if progress.is_closed {
            return Err(AlreadyClosed);
        }
        progress.stage = UpgradeStage::Moved;
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut UpgradeProgress)) {
        change(&mut self.progress.lock());
        self.changed.notify_waiters();
    }

    /// Waits until `holds` returns true. Cancel safe.
    async fn wait_until(&self, holds: impl Fn(&UpgradeProgress) -> bool) {
        loop {
            // Before the check: a change between the two is not missed.
            let changed = self.changed.notified();
            if holds(&self.progress.lock()) {
                return;
            }
            changed.await;
        }
    }
}

/// The end of the transport, and of its sessions.
impl UpgradeState {
    /// Records that the transport ends. Returns false if it is the engine's no more.
    pub(super) fn close(&self) -> bool {
        let mut is_moved = false;
        self.change(|progress| {
            is_moved = progress.stage == UpgradeStage::Moved;
            progress.is_closed |= !is_moved;
        });
        !is_moved
    }

    /// Waits until the transport ends in the engine. Cancel safe.
    pub(super) async fn closed(&self) {
        self.wait_until(|progress| progress.is_closed).await;
    }

    /// Returns the last session that ended while the transport was the engine's.
    pub(super) fn ended(&self) -> Option<EndedSession> {
        self.progress.lock().ended
    }

    /// Records that a session has ended. Returns false if its transport is the engine's no more.
    pub(super) fn end_session(&self, reason: EndReason) -> bool {
        let at = Instant::now();
        let mut progress = self.progress.lock();
        let is_moved = progress.stage == UpgradeStage::Moved;
        if !is_moved {
            progress.ended = Some(EndedSession { reason, at });
        }
        !is_moved
    }
}

/// Polls and POSTs.
impl UpgradeState {
    /// Begins to pass a POST to the engine. Returns false if the client has switched.
    pub(super) fn begin_post(&self) -> bool {
        let mut progress = self.progress.lock();
        let begins = progress.stage < UpgradeStage::Switched;
        progress.posts += u32::from(begins);
        begins
    }

    /// Ends a POST that has begun.
    pub(super) fn end_post(&self) {
        self.change(|progress| progress.posts -= 1);
    }

    /// Waits until the engine has every POST that has begun. Cancel safe.
    pub(super) async fn posts_passed(&self) {
        self.wait_until(|progress| progress.posts == 0).await;
    }

    /// Waits until a poll that began now is to be answered with a NOOP. Cancel safe.
    pub(super) async fn wants_noop(&self) {
        let due = Instant::now() + NOOP_DELAY;
        let is_probed = |progress: &UpgradeProgress| progress.stage == UpgradeStage::Probed;
        loop {
            self.wait_until(is_probed).await;
            tokio::time::sleep_until(due).await;
            if is_probed(&self.progress.lock()) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn polls_are_answered_with_noops_only_while_the_client_waits_for_one() {
        let upgrade = UpgradeState::default();
        assert!(upgrade.begin());
        assert!(!upgrade.begin());
        let begun = Instant::now();
        let mut poll = Box::pin(upgrade.wants_noop());
        let before = tokio::time::timeout(NOOP_DELAY * 50, &mut poll).await;
        assert!(before.is_err(), "the client has not asked yet");
        upgrade.set(UpgradeStage::Probed);
        poll.await;
        assert_eq!(
            begun.elapsed(),
            NOOP_DELAY * 50,
            "a poll that waits is answered at once"
        );
        upgrade.wants_noop().await;
        assert_eq!(begun.elapsed(), NOOP_DELAY * 51, "a new one a little later");
        upgrade.set(UpgradeStage::None);
        let after = tokio::time::timeout(NOOP_DELAY * 2, upgrade.wants_noop()).await;
        assert!(after.is_err() && upgrade.begin());
    }

    #[test]
    fn a_client_that_has_switched_posts_nothing_more() {
        let upgrade = UpgradeState::default();
        assert!(upgrade.begin() && upgrade.begin_post());
        upgrade.set(UpgradeStage::Switched);
        assert!(!upgrade.begin_post());
        let mut passed = Box::pin(upgrade.posts_passed());
        assert!((&mut passed).now_or_never().is_none());
        upgrade.end_post();
        assert!(passed.now_or_never().is_some());
        upgrade.abandon();
        assert!(upgrade.has_switched() && !upgrade.begin());
    }

    #[test]
    fn a_transport_ends_where_it_is() {
        let upgrade = UpgradeState::default();
        assert!(upgrade.end_session(EndReason::ClientLeft));
        upgrade.complete().unwrap();
        assert!(!upgrade.end_session(EndReason::Kicked) && !upgrade.close());
        assert_eq!(upgrade.ended().unwrap().reason, EndReason::ClientLeft);
        assert!(upgrade.closed().now_or_never().is_none());

        let upgrade = UpgradeState::default();
        assert!(upgrade.close());
        assert_eq!(upgrade.complete(), Err(AlreadyClosed));
        assert!(!upgrade.begin());
    }
}
