//! What the handles of a log and its tasks share.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{Notify, watch};

use crate::{
    log::{Entry, Retention, tail::Tail},
    mongo::{Mongo, commit::Standing, fault::Fault, handle::PATIENCE, head::HeadRecord},
};

/// What was seen when somebody last looked at the head.
#[derive(Debug, Clone)]
pub(in crate::mongo) struct Look {
    /// Whoever asked with a number up to this one is answered.
    pub(super) ticket: u64,
    pub(super) seen: Result<Arc<HeadRecord>, Fault>,
}

/// See the [module](self).
pub(in crate::mongo) struct Shared {
    pub(in crate::mongo) mongo: Mongo,
    pub(super) retention: Retention,
    /// Up to where something was missing when it was looked last: once more, and it is damaged.
    pub(super) suspect: AtomicU64,
    /// `None` until the log was read for the first time.
    tail: Mutex<Option<Tail>>,
    /// The number of the last entry that can be read.
    pub(super) head: watch::Sender<u64>,
    /// The number of the last entry that was appended here.
    pub(super) own: watch::Sender<u64>,
    pub(super) reads: AtomicU64,
    /// Told when the log has grown beyond its retention.
    pub(super) crowded: Notify,
    /// How often somebody asked for a look.
    pub(super) asked: AtomicU64,
    pub(super) ask: Notify,
    pub(super) looked: watch::Sender<Look>,
}

impl Shared {
    pub(super) fn new(mongo: Mongo, retention: Retention) -> Self {
        Self {
            mongo,
            retention,
            suspect: AtomicU64::new(0),
            tail: Mutex::default(),
            head: watch::Sender::new(0),
            own: watch::Sender::new(0),
            reads: AtomicU64::new(0),
            crowded: Notify::new(),
            asked: AtomicU64::new(0),
            ask: Notify::new(),
            looked: watch::Sender::new(Look {
                ticket: 0,
                seen: Err(Fault::NotReady),
            }),
        }
    }

    /// A poisoned lock is taken over: no method leaves the tail half changed.
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Tail>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the tail says, once there is one.
    pub(super) fn with_tail<T>(&self, ask: impl FnOnce(&mut Tail) -> T) -> Result<T, Fault> {
        self.lock().as_mut().map(ask).ok_or(Fault::NotReady)
    }

    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    /// Asks for a look, without waiting for it.
    pub(super) fn wake(&self) -> u64 {
        let ticket = self.asked.fetch_add(1, Relaxed) + 1;
        self.ask.notify_one();
        ticket
    }

    /// The head as it was at some time after this was called; the tail has come as far. Who calls
    /// at once shares one look. Cancel safe.
    pub(in crate::mongo) async fn look(&self) -> Result<Arc<HeadRecord>, Fault> {
        let (mut looked, ticket) = (self.looked.subscribe(), self.wake());
        let answered =
            tokio::time::timeout(PATIENCE, looked.wait_for(|look| look.ticket >= ticket)).await;
        match answered {
            Ok(Ok(look)) => look.seen.clone(),
            Ok(Err(_)) => Err(Fault::Closed),
            Err(_) => Err(Fault::Late),
        }
    }

    /// Entries were committed here.
    pub(in crate::mongo) fn committed(&self, after: &Standing, fresh: &[Arc<Entry>]) {
        let Some(last) = fresh.last() else { return };
        let mut tail = self.lock();
        let same = tail
            .as_mut()
            .filter(|tail| tail.head().position.epoch() == after.epoch);
        // In another history nobody waits for these numbers.
        let Some(same) = same else { return };
        same.feed(fresh);
        drop(tail);
        self.tell();
        self.own
            .send_if_modified(|known| last.n() > std::mem::replace(known, last.n().max(*known)));
    }

    /// Whoever follows is told how far the tail has come.
    pub(super) fn tell(&self) {
        let Ok((head, crowded)) =
            self.with_tail(|tail| (tail.head().position.n(), tail.is_crowded(&self.retention)))
        else {
            return;
        };
        self.head
            .send_if_modified(|known| head > std::mem::replace(known, head.max(*known)));
        if crowded {
            self.crowded.notify_one();
        }
    }
}
