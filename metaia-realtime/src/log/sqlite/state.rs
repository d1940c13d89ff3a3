//! The state that the handles of a log share with its tasks, and the step that adds committed
//! entries to the tail in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::witness::{Statement, Witness};
use crate::{
    log::{Entry, Retention, changes::raise, tail::Tail},
    sqlite::{Readers, Writer},
    values::Moment,
};

/// The state of an open log.
pub(super) struct SqliteLogState {
    pub(super) writer: Writer,
    pub(super) readers: Readers,
    pub(super) retention: Retention,
    pub(super) tail: Mutex<Tail>,
    /// Lock order: the witness before the tail, if both are locked.
    pub(super) witness: Mutex<Witness>,
    /// The number of the last entry, for [`EventLog::changes`](crate::EventLog::changes).
    pub(super) head: watch::Sender<u64>,
    /// Reads of the database since the opening.
    pub(super) reads: AtomicU64,
    /// Notified when the log has grown beyond its retention.
    pub(super) crowded: Arc<Notify>,
    /// Notified when entries may have been committed beside the log.
    pub(super) woken: Arc<Notify>,
}

impl SqliteLogState {
    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    /// Adds entries to the tail that were committed just now: see [`Self::add_committed`].
    pub(super) fn add_fresh(&self, committed: &[Arc<Entry>]) {
        let now = Moment::now();
        for entry in committed {
            entry.record_commit(now);
        }
        self.add_committed(committed);
    }

    /// Adds committed entries to the tail in memory and notifies the subscribers. Called in the
    /// order of the commits.
    pub(super) fn add_committed(&self, committed: &[Arc<Entry>]) {
        let Some(last) = committed.last() else { return };
        // The witness is written before a reader can see the entries, so that no reader has seen an
        // entry after the one that it names. It stays locked until the tail has the entries, so
        // that two calls change both in the same order.
        let mut witness = self.witness.lock();
        if last.n() > self.tail.lock().head().position.n() {
            witness.record(Statement::from_entry(last));
        }
        let mut tail = self.tail.lock();
        tail.feed(committed);
        let head = tail.head().position.n();
        let is_crowded = tail.is_crowded(&self.retention);
        drop(tail);
        drop(witness);
        raise(&self.head, head);
        if is_crowded {
            self.crowded.notify_one();
        }
    }
}
