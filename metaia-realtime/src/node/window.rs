//! The window: the entries this node dispatched last, so that most reconnects do not touch the
//! store.
//!
//! Bounded by count and bytes; what is older is read from the log. A node that starts fills it with
//! the end of the log, so that those who come back after a crash find it full. A node whose log
//! cannot be read yet begins all the same, and fills it when it can.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    Position,
    log::{DynEventLog, Entry, LogError, Recent},
    values::Epoch,
};

const ENTRIES: usize = 4_096;
const BYTES: usize = 8 * 1024 * 1024;
/// How long a node that starts waits for its log.
const FIRST_READ_TIMEOUT: Duration = Duration::from_secs(1);
/// Entries per read while it is filled.
const PAGE: usize = 512;

/// The window of one node. The dispatcher writes it, sessions read it under their own lock.
#[derive(Debug)]
pub(crate) struct Window {
    recent: Mutex<Recent>,
    /// Follows what has been dispatched.
    reached: watch::Sender<Position>,
    /// Whether the log was ever read.
    known: AtomicBool,
}

impl Window {
    /// Returns a window with the end of the log, or an empty one if that cannot be read within 1 s
    /// (`FIRST_READ_TIMEOUT`): the dispatcher fills it later.
    pub(crate) async fn of_log(log: &dyn DynEventLog) -> Self {
        match tokio::time::timeout(FIRST_READ_TIMEOUT, end_of(log, ENTRIES, BYTES)).await {
            Ok(Ok(recent)) => return Self::of(recent, true),
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "the log cannot be read yet; starting all the same");
            }
            Err(_) => tracing::warn!("the log does not answer yet; starting all the same"),
        }
        Self::unknown()
    }

    #[cfg(test)]
    pub(crate) async fn bounded_at_the_end_of(
        log: &dyn DynEventLog,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<Self, LogError> {
        Ok(Self::of(end_of(log, max_entries, max_bytes).await?, true))
    }

    /// That of a node which could not read its log yet: of an epoch that never was, so that nobody
    /// goes on from there.
    pub(crate) fn unknown() -> Self {
        let nowhere = Position::start(Epoch::random());
        Self::of(Recent::new(nowhere, ENTRIES, BYTES), false)
    }

    fn of(recent: Recent, known: bool) -> Self {
        let reached = watch::Sender::new(recent.head());
        Self {
            recent: Mutex::new(recent),
            reached,
            known: known.into(),
        }
    }

    /// An empty window after `head`.
    #[cfg(any(test, feature = "__bench"))]
    pub(crate) fn new(head: Position) -> Self {
        Self::bounded(head, ENTRIES, BYTES)
    }

    #[cfg(any(test, feature = "__bench"))]
    pub(crate) fn bounded(head: Position, max_entries: usize, max_bytes: usize) -> Self {
        Self::of(Recent::new(head, max_entries, max_bytes), true)
    }

    /// A poisoned lock is taken over: no method leaves the window half changed.
    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position of the last entry that sessions may have seen.
    pub(crate) fn head(&self) -> Position {
        self.recent().head()
    }

    pub(crate) fn push(&self, entry: &Arc<Entry>) {
        self.recent().push(entry);
    }

    /// Whether the log was ever read.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }

    /// The end of the log, where the history so far is not its any more, or was not known. For
    /// [`Self::begin_again`].
    pub(crate) async fn read_anew(&self, log: &dyn DynEventLog) -> Result<Recent, LogError> {
        let (most, bytes) = self.recent().bounds();
        end_of(log, most, bytes).await
    }

    /// Begins anew with what was read: from here on whoever waits for the log goes on.
    pub(crate) fn begin_again(&self, recent: Recent) {
        let head = recent.head();
        *self.recent() = recent;
        self.known.store(true, Ordering::Release);
        self.reached.send_replace(head);
    }

    /// Every session has been offered everything up to `position`.
    pub(crate) fn set_dispatched(&self, position: Position) {
        self.recent().set_dispatched(position);
        self.reached.send_replace(position);
    }

    /// Up to where every session has been offered everything.
    pub(crate) fn dispatched(&self) -> Position {
        self.recent().dispatched()
    }

    /// Follows what has been dispatched.
    pub(crate) fn progress(&self) -> watch::Receiver<Position> {
        self.reached.subscribe()
    }

    /// Waits until every session has been offered everything up to `head`. Cancel safe.
    pub(crate) async fn reached(&self, head: Position) {
        let there = |at: &Position| at.epoch() == head.epoch() && at.n() >= head.n();
        // It cannot fail: the sender is ours.
        self.reached.subscribe().wait_for(there).await.ok();
    }
}

/// The end of a log, as if it had been dispatched.
async fn end_of(
    log: &dyn DynEventLog,
    max_entries: usize,
    max_bytes: usize,
) -> Result<Recent, LogError> {
    let head = log.head().await?.position;
    let mut recent = Recent::new(head, max_entries, max_bytes);
    let mut after = head.n().saturating_sub(max_entries as u64);
    while after < head.n() {
        let page = log.read(None, after, PAGE).await?;
        // The log may have grown meanwhile, which is dispatched later; where it was trimmed or
        // began anew, what is here so far is not the end of it.
        let known = page
            .entries
            .iter()
            .take_while(|entry| entry.n() <= head.n());
        if page.epoch != head.epoch() || !recent.fill(known) {
            break;
        }
        after = page.scanned;
    }
    if !recent.is_full() {
        recent.begin_again(head);
    }
    Ok(recent)
}
