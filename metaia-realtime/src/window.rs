//! The window: the entries this node dispatched last, so that most reconnects do not touch the store.
//!
//! Bounded by count and bytes; what is older is read from the log.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{Position, log::Entry};

const ENTRIES: usize = 4_096;
const BYTES: usize = 8 * 1024 * 1024;

/// The window of one node. The dispatcher writes it, sessions read it under their own lock.
#[derive(Debug)]
pub(crate) struct Window {
    recent: Mutex<Recent>,
    /// Follows what has been dispatched.
    reached: watch::Sender<u64>,
}

#[derive(Debug)]
pub(crate) struct Recent {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    head: Position,
    dispatched: u64,
    max_entries: usize,
    max_bytes: usize,
}

impl Window {
    /// An empty window after `head`.
    pub(crate) fn new(head: Position) -> Self {
        Self::bounded(head, ENTRIES, BYTES)
    }

    pub(crate) fn bounded(head: Position, max_entries: usize, max_bytes: usize) -> Self {
        let (entries, dispatched) = (VecDeque::new(), head.n());
        let recent = Recent { entries, bytes: 0, head, dispatched, max_entries, max_bytes };
        Self { recent: Mutex::new(recent), reached: watch::Sender::new(dispatched) }
    }

    /// A poisoned lock is taken over: no method leaves the window half changed.
    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position of the last entry that sessions may have seen.
    pub(crate) fn head(&self) -> Position {
        self.recent().head
    }

    pub(crate) fn push(&self, entry: &Arc<Entry>) {
        self.recent().push(entry);
    }

    /// Every session has been offered everything up to `n`.
    pub(crate) fn set_dispatched(&self, n: u64) {
        self.recent().dispatched = n;
        self.reached.send_replace(n);
    }

    /// Waits until every session has been offered everything up to `n`. Cancel safe.
    pub(crate) async fn reached(&self, n: u64) {
        // It cannot fail: the sender is ours.
        self.reached.subscribe().wait_for(|dispatched| *dispatched >= n).await.ok();
    }

    pub(crate) fn dispatched(&self) -> u64 {
        self.recent().dispatched
    }
}

impl Recent {
    pub(crate) fn head(&self) -> Position {
        self.head
    }

    /// Whether every entry after `n` that was dispatched is here.
    pub(crate) fn reaches(&self, n: u64) -> bool {
        self.entries.front().map_or(n >= self.head.n(), |first| n + 1 >= first.n())
    }

    /// The entries after `n`, in order.
    pub(crate) fn after(&self, n: u64) -> impl Iterator<Item = &Arc<Entry>> {
        let from = self.entries.partition_point(|entry| entry.n() <= n);
        self.entries.range(from..)
    }

    fn push(&mut self, entry: &Arc<Entry>) {
        let follows = entry.n() == self.head.n() + 1;
        if !follows {
            self.entries.clear();
            self.bytes = 0;
        }
        self.head = entry.position();
        self.bytes += entry.content().size();
        self.entries.push_back(Arc::clone(entry));
        while self.entries.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.content().size();
        }
    }
}
