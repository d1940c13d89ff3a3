//! The window: the entries that this node dispatched last, so that most reconnects do not read the
//! log.
//!
//! The window is bounded by count and bytes; what is older is read from the log. A node that starts
//! fills it with the end of the log, so that it is full when clients reconnect after a crash. A
//! node whose log cannot be read yet starts with an empty window, and fills it when it can.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::{
    Position,
    log::{Bounds, DynEventLog, Entry, LogError, Recent},
    values::Epoch,
};

/// The time for which a node that starts waits for its log.
const FIRST_READ_TIMEOUT: Duration = Duration::from_secs(1);
/// Entries per read while the window is filled.
const PAGE: usize = 512;

/// The window of one node. The dispatcher writes it, sessions read it under their own lock.
#[derive(Debug)]
pub(crate) struct Window {
    recent: Mutex<Recent>,
    /// The position up to which every session was offered everything.
    dispatched: watch::Sender<Position>,
    /// The log was read at least once.
    has_read_log: AtomicBool,
}

impl Window {
    /// Returns a window with the end of the log. If that cannot be read within 1 s
    /// (`FIRST_READ_TIMEOUT`), returns an empty one, which the dispatcher fills later.
    pub(crate) async fn from_log(log: &dyn DynEventLog) -> Self {
        let reading = read_end(log, Bounds::RECENT);
        match tokio::time::timeout(FIRST_READ_TIMEOUT, reading).await {
            Ok(Ok(recent)) => return Self::with(recent, true),
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "the log cannot be read yet; starting without it");
            }
            Err(_) => tracing::warn!("the log does not answer yet; starting without it"),
        }
        Self::without_log()
    }

    #[cfg(test)]
    pub(crate) async fn from_log_bounded(
        log: &dyn DynEventLog,
        entries: usize,
        bytes: usize,
    ) -> Result<Self, LogError> {
        let recent = read_end(log, Bounds { entries, bytes }).await?;
        Ok(Self::with(recent, true))
    }

    /// Returns an empty window in a fresh epoch, for a node that has not read its log. No client's
    /// position can match it.
    pub(crate) fn without_log() -> Self {
        let start = Position::start(Epoch::random());
        Self::with(Recent::new(start, Bounds::RECENT), false)
    }

    fn with(recent: Recent, has_read_log: bool) -> Self {
        let dispatched = watch::Sender::new(recent.head());
        Self {
            recent: Mutex::new(recent),
            dispatched,
            has_read_log: has_read_log.into(),
        }
    }

    /// Returns an empty window after `head`.
    #[cfg(any(test, feature = "__bench"))]
    pub(crate) fn new(head: Position) -> Self {
        Self::with(Recent::new(head, Bounds::RECENT), true)
    }

    /// Locks the entries of the window.
    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock()
    }

    /// Returns the position of the last entry that sessions may have seen.
    pub(crate) fn head(&self) -> Position {
        self.recent().head()
    }

    /// Adds an entry that is about to be dispatched.
    pub(super) fn push(&self, entry: &Arc<Entry>) {
        self.recent().push(entry);
    }

    /// Returns whether the log was read at least once.
    pub(crate) fn has_read_log(&self) -> bool {
        self.has_read_log.load(Ordering::Acquire)
    }

    /// Reads the end of a log that has another epoch than the window. Pass the result to
    /// [`Self::replace`].
    pub(crate) async fn read_end_of(&self, log: &dyn DynEventLog) -> Result<Recent, LogError> {
        let bounds = self.recent().bounds();
        read_end(log, bounds).await
    }

    /// Replaces the entries of the window. From here on sessions that wait for the log go on.
    pub(crate) fn replace(&self, recent: Recent) {
        let head = recent.head();
        *self.recent() = recent;
        self.has_read_log.store(true, Ordering::Release);
        self.dispatched.send_replace(head);
    }

    /// Records that every session was offered everything up to `position`.
    pub(super) fn set_dispatched(&self, position: Position) {
        self.recent().set_dispatched(position);
        // This runs for each entry, and usually nobody waits. A subscriber that comes later reads
        // the value.
        self.dispatched.send_if_modified(|dispatched| {
            *dispatched = position;
            self.dispatched.receiver_count() > 0
        });
    }

    /// Returns the position up to which every session was offered everything.
    pub(crate) fn dispatched(&self) -> Position {
        self.recent().dispatched()
    }

    /// Returns a receiver of the position that [`dispatched`](Self::dispatched) returns.
    pub(super) fn subscribe_dispatched(&self) -> watch::Receiver<Position> {
        self.dispatched.subscribe()
    }

    /// Waits until every session was offered everything up to `head`, or the window is not one of
    /// `epoch` any more. Cancel safe.
    pub(crate) async fn wait_until_dispatched_or_replaced(&self, head: Position, epoch: Epoch) {
        let is_replaced = |at: &Position| at.epoch() != epoch;
        let is_over = |at: &Position| is_replaced(at) || is_reached(at, head);
        let mut dispatched = self.dispatched.subscribe();
        dispatched.wait_for(is_over).await.ok();
    }

    /// Waits until every session was offered everything up to `head`. Cancel safe.
    pub(super) async fn wait_until_dispatched(&self, head: Position) {
        // This cannot fail: `self` holds the sender.
        let mut dispatched = self.dispatched.subscribe();
        dispatched.wait_for(|at| is_reached(at, head)).await.ok();
    }
}

fn is_reached(at: &Position, head: Position) -> bool {
    at.epoch() == head.epoch() && at.n() >= head.n()
}

/// Reads the end of a log. Its entries count as dispatched.
async fn read_end(log: &dyn DynEventLog, bounds: Bounds) -> Result<Recent, LogError> {
    let head = log.head().await?.position;
    let mut recent = Recent::new(head, bounds);
    let mut after = head.n().saturating_sub(bounds.entries as u64);
    while after < head.n() {
        let page = log.read(None, after, PAGE).await?;
        // Entries that were appended after `head` was read are dispatched later. If the log was
        // trimmed or has a new epoch meanwhile, the entries read so far are not its end.
        let upto_head = page
            .entries
            .iter()
            .take_while(|entry| entry.n() <= head.n());
        if page.epoch != head.epoch() || !recent.fill(upto_head) {
            break;
        }
        after = page.scanned;
    }
    if !recent.is_full() {
        recent.begin_again(head);
    }
    Ok(recent)
}
