//! A pace for writers: they wait for readers, so that both run at the same time. Otherwise the
//! writers could end before the readers begin.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::task::yield_now;

/// More looks than any writer waits for.
const UNLIMITED: usize = usize::MAX / 2;

/// The number of looks of all readers.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace(Arc<AtomicUsize>);

/// A reader's handle. When it is dropped, no writer waits for looks any more.
#[derive(Debug)]
pub(super) struct Looker(Pace);

impl Pace {
    /// Returns the pace of a check without readers: its writers never wait.
    pub(super) fn free() -> Self {
        Self(Arc::new(AtomicUsize::new(UNLIMITED)))
    }

    pub(super) fn looker(&self) -> Looker {
        Looker(self.clone())
    }

    /// Waits until the readers have looked `times` times in all.
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
        self.0.0.store(UNLIMITED, Ordering::SeqCst);
    }
}
