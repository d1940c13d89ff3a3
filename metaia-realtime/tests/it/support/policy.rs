//! A policy that a test can change, count and pause.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use metaia_realtime::{AccessDecision, AccessError, Identity, OrderAccess, OrderId};
use tokio::sync::watch;

/// Allows everybody but those it was told to deny. It makes up its mind when it is asked, and
/// answers when it is open.
#[derive(Clone)]
pub(crate) struct Policy(Arc<Shared>);

struct Shared {
    denied: Mutex<Vec<String>>,
    asked: AtomicUsize,
    undecided: AtomicBool,
    open: watch::Sender<bool>,
}

impl Policy {
    pub(crate) fn new() -> Self {
        let open = watch::Sender::new(true);
        Self(Arc::new(Shared {
            denied: Mutex::default(),
            asked: AtomicUsize::new(0),
            undecided: false.into(),
            open,
        }))
    }

    pub(crate) fn deny(&self, user: &str) {
        self.0.denied.lock().unwrap().push(user.to_owned());
    }

    pub(crate) fn pause(&self) {
        self.0.open.send_replace(false);
    }

    pub(crate) fn go_on(&self) {
        self.0.open.send_replace(true);
    }

    /// From here on it cannot decide, or it can again.
    pub(crate) fn is_undecided(&self, undecided: bool) {
        self.0.undecided.store(undecided, Ordering::SeqCst);
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl OrderAccess for Policy {
    async fn may_join(&self, who: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        let denied = self
            .0
            .denied
            .lock()
            .unwrap()
            .iter()
            .any(|user| user == who.user.as_str());
        let mut open = self.0.open.subscribe();
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        open.wait_for(|open| *open).await.ok();
        if self.0.undecided.load(Ordering::SeqCst) {
            return Err(AccessError::new("the orders cannot be read"));
        }
        Ok(if denied {
            AccessDecision::Denied
        } else {
            AccessDecision::Allowed
        })
    }
}
