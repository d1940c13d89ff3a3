//! Keeping those who append and those who look at it at the same time: else the one ends before the
//! other begins.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::task::yield_now;

/// More looks than anybody waits for.
const ENOUGH: usize = usize::MAX / 2;

/// How often somebody has looked.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace(Arc<AtomicUsize>);

/// One who looks. When it ends, nobody waits for looks any more.
#[derive(Debug)]
pub(super) struct Looker(Pace);

impl Pace {
    /// For a check in which nobody looks.
    pub(super) fn free() -> Self {
        Self(Arc::new(AtomicUsize::new(ENOUGH)))
    }

    pub(super) fn looker(&self) -> Looker {
        Looker(self.clone())
    }

    /// Waits until somebody has looked, so many times in all.
    pub(super) async fn looked(&self, times: usize) {
        while self.0.load(Ordering::SeqCst) < times {
            yield_now().await;
        }
    }
}

impl Looker {
    pub(super) fn look(&self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.0.0.store(ENOUGH, Ordering::SeqCst);
    }
}
