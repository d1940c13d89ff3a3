//! The deliveries of what was offered to sessions.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{runtime::Handle, task::JoinSet};

use super::Counters;
use crate::session::{Session, Taken};

/// The number of sessions whose packets are taken before the first of them is written, and after
/// which other tasks run: less than 1 ms at some 7 µs each. What they need fits into the cache of a
/// core.
const PREPARED: usize = 64;

/// The number of sessions for each task that delivers: below, another task would cost more than it
/// saves.
const PER_TASK: usize = 4 * PREPARED;

/// The sessions that have taken something, each once. They deliver after all offers, so that a
/// transport may write everything in one system call.
#[must_use]
pub(crate) struct Deliveries(Vec<Arc<Session>>);

impl Deliveries {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a session that has taken something, unless it is there already.
    pub(super) fn add(&mut self, session: &Arc<Session>) {
        if session.note_delivery() {
            self.0.push(Arc::clone(session));
        }
    }

    /// Delivers, and lets other tasks run in between: a delivery may be a system call. Deliveries
    /// to many sessions are shared among the workers of the runtime.
    ///
    /// Returns when all are made, so that those of the next entries follow. If it is cancelled, its
    /// tasks are aborted.
    pub(super) async fn deliver(self, counters: &Arc<Counters>) {
        if self.0.is_empty() {
            return;
        }
        if !self.are_many() {
            // Other tasks have run since the last reading.
            counters.latencies.read_clock();
            self.deliver_at_once();
            return tokio::task::yield_now().await;
        }
        let others = self.tasks() - 1;
        let remaining = Arc::new(Remaining {
            sessions: self.0,
            next: AtomicUsize::new(0),
            counters: Arc::clone(counters),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..others {
            tasks.spawn(Arc::clone(&remaining).deliver());
        }
        remaining.deliver().await;
        while let Some(ended) = tasks.join_next().await {
            if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
                resume_unwind(panic);
            }
        }
    }

    /// Returns whether the deliveries take so long that other tasks should run in between.
    pub(super) fn are_many(&self) -> bool {
        self.0.len() > PREPARED
    }

    /// Returns the number of tasks that are to deliver.
    fn tasks(&self) -> usize {
        match self.0.len() / PER_TASK {
            0 | 1 => 1,
            tasks => Handle::current().metrics().num_workers().min(tasks),
        }
    }

    /// Delivers without a pause.
    pub(crate) fn deliver_at_once(self) {
        self.0.chunks(PREPARED).for_each(deliver_some);
    }
}

/// Deliveries that several tasks make.
struct Remaining {
    sessions: Vec<Arc<Session>>,
    /// The index of the first session that no task has taken.
    next: AtomicUsize,
    counters: Arc<Counters>,
}

impl Remaining {
    async fn deliver(self: Arc<Self>) {
        while let Some(sessions) = self.take() {
            // Other tasks have run since the last reading.
            self.counters.latencies.read_clock();
            deliver_some(sessions);
            tokio::task::yield_now().await;
        }
    }

    /// Returns the next sessions to deliver to; `None` if there are none.
    fn take(&self) -> Option<&[Arc<Session>]> {
        let from = self.next.fetch_add(PREPARED, Ordering::Relaxed);
        self.sessions.get(from..)?.chunks(PREPARED).next()
    }
}

fn deliver_some(sessions: &[Arc<Session>]) {
    let prepared: Vec<(&Session, Taken)> = sessions
        .iter()
        .filter_map(|session| Some((&**session, session.prepare_delivery()?)))
        .collect();
    for (session, taken) in prepared {
        session.write_delivery(taken);
    }
}
