//! A policy that a test can change, count and pause.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use metaia_realtime::{AccessDecision, AccessError, Identity, OrderAccess, OrderId};
use tokio::sync::watch;

/// Allows all users but those that [`Policy::deny`] names. Decides when it is asked; a paused
/// policy returns its decision once it is resumed. Clones share all of this.
#[derive(Clone)]
pub(crate) struct Policy(Arc<PolicyState>);

struct PolicyState {
    denied: Mutex<Vec<String>>,
    asked: AtomicUsize,
    fails: AtomicBool,
    running: watch::Sender<bool>,
}

impl Policy {
    pub(crate) fn new() -> Self {
        Self(Arc::new(PolicyState {
            denied: Mutex::default(),
            asked: AtomicUsize::new(0),
            fails: false.into(),
            running: watch::Sender::new(true),
        }))
    }

    pub(crate) fn deny(&self, user: &str) {
        self.0.denied.lock().unwrap().push(user.to_owned());
    }

    pub(crate) fn pause(&self) {
        self.0.running.send_replace(false);
    }

    pub(crate) fn resume(&self) {
        self.0.running.send_replace(true);
    }

    /// Makes every decision fail from now on, or succeed again.
    pub(crate) fn set_failing(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// Returns how many times the policy was asked.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    fn is_denied(&self, user: &str) -> bool {
        let denied = self.0.denied.lock().unwrap();
        denied.iter().any(|name| name == user)
    }
}

impl OrderAccess for Policy {
    async fn may_join(
        &self,
        identity: &Identity,
        _: &OrderId,
    ) -> Result<AccessDecision, AccessError> {
        // Before the pause: tests need decisions that are outdated when they are returned.
        let is_denied = self.is_denied(identity.user.as_str());
        let mut running = self.0.running.subscribe();
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        running.wait_for(|running| *running).await.ok();
        if self.0.fails.load(Ordering::SeqCst) {
            return Err(AccessError::new("the orders cannot be read"));
        }
        Ok(if is_denied {
            AccessDecision::Denied
        } else {
            AccessDecision::Allowed
        })
    }
}
