//! What the handles of a log and its trimming task share, and how what was committed gets into
//! memory.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{Notify, watch};

use super::witness::{Statement, Witness};
use crate::{
    log::{Entry, Retention, tail::Tail},
    sqlite::{Readers, Writer},
};

/// What the handles and the trimming task share.
pub(super) struct Shared {
    pub(super) writer: Writer,
    pub(super) readers: Readers,
    pub(super) retention: Retention,
    pub(super) tail: Mutex<Tail>,
    /// Locked before the tail, where both are.
    pub(super) witness: Mutex<Witness>,
    pub(super) head: watch::Sender<u64>,
    pub(super) reads: AtomicU64,
    /// Told when the log has grown beyond its retention.
    pub(super) crowded: Arc<Notify>,
}

impl Shared {
    /// A poisoned lock is taken over: no method leaves the tail half changed.
    pub(super) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    /// In the order of the commits: the witness first, so that nobody has seen more than it.
    pub(super) fn publish(&self, fresh: &[Arc<Entry>]) {
        let Some(last) = fresh.last() else { return };
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        if last.n() > self.tail().head().position.n() {
            witness.say(Statement::of_entry(last));
        }
        let mut tail = self.tail();
        tail.feed(fresh);
        let (head, crowded) = (tail.head().position.n(), tail.is_crowded(&self.retention));
        drop((tail, witness));
        self.head
            .send_if_modified(|known| head > std::mem::replace(known, head.max(*known)));
        if crowded {
            self.crowded.notify_one();
        }
    }
}
