//! The state that the handles of a log and its tasks share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::read;
use crate::{
    Position,
    log::{Entry, Retention, changes::raise, tail::Tail},
    mongo::{
        Mongo,
        fault::MongoFault,
        head::{HeadRecord, HeadVersion},
        options::OPERATION_TIMEOUT,
    },
    values::Moment,
};

/// The result of the last read of the head.
#[derive(Debug, Clone)]
pub(in crate::mongo) struct HeadRead {
    /// Answers all requests with a ticket up to this one.
    pub(super) ticket: u64,
    pub(super) head: Result<Arc<HeadRecord>, MongoFault>,
}

/// The tail and the head of an open log, as this node last read them, with the signals between its
/// tasks.
pub(in crate::mongo) struct MongoLogState {
    pub(in crate::mongo) mongo: Mongo,
    pub(super) retention: Retention,
    /// The number up to which entries were missing at the last read. If they are missing at the
    /// next one, too, they count as damaged.
    pub(super) suspect: AtomicU64,
    /// `None` until the log was read for the first time.
    pub(super) tail: Mutex<Option<Tail>>,
    /// The number of the last entry that can be read.
    pub(super) changes: watch::Sender<u64>,
    /// The number of the last entry that this node has appended.
    pub(super) local_appends: watch::Sender<u64>,
    /// The number of reads from the database for a page or a history.
    pub(super) reads: AtomicU64,
    /// Notified when the log has grown beyond its retention.
    pub(super) over_retention: Notify,
    /// The ticket of the last request for a read of the head.
    pub(super) requested: AtomicU64,
    /// Notified with each such request.
    pub(super) request: Notify,
    pub(super) head_read: watch::Sender<HeadRead>,
}

impl MongoLogState {
    pub(super) fn new(mongo: Mongo, retention: Retention) -> Self {
        Self {
            mongo,
            retention,
            suspect: AtomicU64::new(0),
            tail: Mutex::default(),
            changes: watch::Sender::new(0),
            local_appends: watch::Sender::new(0),
            reads: AtomicU64::new(0),
            over_retention: Notify::new(),
            requested: AtomicU64::new(0),
            request: Notify::new(),
            head_read: watch::Sender::new(HeadRead {
                ticket: 0,
                head: Err(MongoFault::NotReady),
            }),
        }
    }

    /// Calls a function with the tail.
    ///
    /// # Errors
    /// Returns [`MongoFault::NotReady`] if the log was not read yet.
    pub(super) fn with_tail<T>(&self, f: impl FnOnce(&mut Tail) -> T) -> Result<T, MongoFault> {
        self.tail.lock().as_mut().map(f).ok_or(MongoFault::NotReady)
    }

    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    /// Requests a read of the head, without waiting for it, and returns the ticket of the request.
    pub(super) fn request_refresh(&self) -> u64 {
        let ticket = self.requested.fetch_add(1, Relaxed) + 1;
        self.request.notify_one();
        ticket
    }

    /// Reads the head and brings the tail up to it. The head is of a time after the call.
    /// Concurrent calls share one read.
    ///
    /// # Errors
    /// Returns a [`MongoFault`] if the database cannot be read within `OPERATION_TIMEOUT`.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect: the read is made by the follower's task.
    pub(in crate::mongo) async fn refresh(&self) -> Result<Arc<HeadRecord>, MongoFault> {
        // Subscribed before the request, so that its answer cannot be missed.
        let mut head_read = self.head_read.subscribe();
        let ticket = self.request_refresh();
        let answered = head_read.wait_for(|read| read.ticket >= ticket);
        match tokio::time::timeout(OPERATION_TIMEOUT, answered).await {
            Ok(Ok(read)) => read.head.clone(),
            Ok(Err(_)) => Err(MongoFault::Closed),
            Err(_) => Err(MongoFault::TimedOut),
        }
    }

    /// Brings the tail up to entry `n`, which another node may have appended, or up to the end of
    /// the log.
    ///
    /// A server that has been replaced as the primary may not know it yet, and answer with an end
    /// that is behind. So a linearizable read decides whether the log really ends before `n`.
    ///
    /// # Errors
    /// Returns a [`MongoFault`] if the database cannot be read, or was behind. Cancel safe.
    pub(super) async fn reach(&self, n: u64) -> Result<(), MongoFault> {
        if self.end()?.n() >= n {
            return Ok(());
        }
        self.refresh().await?;
        if self.end()?.n() >= n {
            return Ok(());
        }
        self.reach_certain_head().await
    }

    /// Brings the tail up to the end that the log certainly has now.
    ///
    /// # Errors
    /// The same as [`reach`](Self::reach). Cancel safe.
    pub(super) async fn reach_certain_head(&self) -> Result<(), MongoFault> {
        let certain = self.read_certain_head().await?;
        let Some(certain) = certain.map(|head| head.version.position()) else {
            return Err(MongoFault::NotReady);
        };
        let is_behind = |end: Position| end.epoch() != certain.epoch() || end.n() < certain.n();
        if is_behind(self.end()?) {
            self.refresh().await?;
        }
        if is_behind(self.end()?) {
            return Err(MongoFault::Behind);
        }
        Ok(())
    }

    /// Reads the head as it certainly is now; `None` if there is none.
    pub(super) async fn read_certain_head(&self) -> Result<Option<HeadRecord>, MongoFault> {
        let deployment = self.mongo.known_deployment().await?;
        let concern = deployment.linearizable_read_concern();
        read::head(&self.mongo, concern).await
    }

    fn end(&self) -> Result<Position, MongoFault> {
        self.with_tail(|tail| tail.head().position)
    }

    /// Adds entries that this node has committed to the tail.
    pub(in crate::mongo) fn add_committed(&self, after: &HeadVersion, entries: &[Arc<Entry>]) {
        let Some(last) = entries.last() else {
            return;
        };
        let now = Moment::now();
        for entry in entries {
            entry.record_commit(now);
        }
        {
            let mut tail = self.tail.lock();
            let Some(tail) = tail.as_mut() else {
                return;
            };
            // In another epoch these numbers mean other entries.
            if tail.head().position.epoch() != after.epoch {
                return;
            }
            tail.feed(entries);
        }
        self.notify_followers();
        raise(&self.local_appends, last.n());
    }

    /// Notifies followers of the end of the tail, and the trimmer if the log is beyond its
    /// retention.
    pub(super) fn notify_followers(&self) {
        let read = self.with_tail(|tail| {
            let n = tail.head().position.n();
            (n, tail.is_crowded(&self.retention))
        });
        let Ok((n, is_crowded)) = read else {
            return;
        };
        raise(&self.changes, n);
        if is_crowded {
            self.over_retention.notify_one();
        }
    }
}
