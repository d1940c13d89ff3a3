//! The progress of an upgrade from polling to a WebSocket, and the answers to polls meanwhile.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

/// The time after which a poll is answered with a NOOP during an upgrade, as in the official
/// server.
const NOOP_DELAY: Duration = Duration::from_millis(100);

/// The progress of a session's upgrade.
#[derive(Debug, Default)]
pub(super) struct UpgradeState {
    stage: Mutex<UpgradeStage>,
    changed: Notify,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpgradeStage {
    #[default]
    None,
    /// A WebSocket is open.
    Opened,
    /// The client waits for the end of its poll.
    Probed,
    /// The client has switched.
    Done,
}

impl UpgradeState {
    /// Begins an attempt. Returns false if another one is under way, or has succeeded.
    pub(super) fn begin(&self) -> bool {
        let mut stage = self.stage.lock();
        let begins = *stage == UpgradeStage::None;
        if begins {
            *stage = UpgradeStage::Opened;
        }
        begins
    }

    pub(super) fn set(&self, stage: UpgradeStage) {
        *self.stage.lock() = stage;
        self.changed.notify_waiters();
    }

    pub(super) fn is_done(&self) -> bool {
        *self.stage.lock() == UpgradeStage::Done
    }

    /// Waits until a poll that began now is to be answered with a NOOP. Cancel safe.
    pub(super) async fn wants_noop(&self) {
        let due = Instant::now() + NOOP_DELAY;
        loop {
            self.probed().await;
            tokio::time::sleep_until(due).await;
            if *self.stage.lock() == UpgradeStage::Probed {
                return;
            }
        }
    }

    async fn probed(&self) {
        loop {
            // Before the check: a change between the two is not missed.
            let changed = self.changed.notified();
            if *self.stage.lock() == UpgradeStage::Probed {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
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
}
