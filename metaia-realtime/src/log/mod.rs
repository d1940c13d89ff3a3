//! The log: the history of deliveries, append-only, in one total order.
//!
//! Every emit becomes an [`Entry`]. `n` rises by one, without holes, in the order of the commits. A
//! client that comes back shows the [`Position`] of the last entry it saw and gets what followed,
//! or is told to reload.

mod control;
mod entry;
mod memory;
mod publish;
mod recent;
mod resume;
mod retention;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "mongodb", feature = "sqlite"))]
pub(crate) mod tail;
pub(crate) mod trimmed;

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::sync::watch;

pub(crate) use control::Control;
pub use entry::{Entry, NewEntry};
pub use memory::MemoryLog;
pub use publish::{PublishError, PublishReceipt};
pub(crate) use recent::Recent;
pub(crate) use resume::{ResetReason, Resumable, judge};
pub use retention::Retention;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteLog;

use crate::{EventId, Position, Room, values::Epoch};

/// Where the log ends, and what it still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The position of the last entry.
    pub position: Position,
    /// Entries up to and with this number have been trimmed; 0 where none has.
    pub floor: u64,
}

/// Entries in order, and what the reader must know about those before them.
#[derive(Debug, Clone)]
pub struct Page {
    /// The log's epoch when this was read: another one than before means that what was read before
    /// may not be so.
    pub epoch: Epoch,
    /// The entries that matched, by rising `n`.
    pub entries: Vec<Arc<Entry>>,
    /// Everything up to this `n` has been looked at: where the next read goes on.
    pub scanned: u64,
    /// The highest `n` of an entry of the asked rooms that has been trimmed; 0 where none has.
    /// Above the position that the reader began at, it means a hole.
    pub trimmed: u64,
}

/// What a resume is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Where the log ends now.
    pub head: Position,
    /// The id of the entry asked for, where the log still has it.
    pub entry: Option<EventId>,
    /// As [`Page::trimmed`].
    pub trimmed: u64,
    /// How many entries of the asked rooms follow the one asked for, counted no further than was
    /// asked.
    pub missed: usize,
}

/// An append-only log in one total order.
///
/// Contract, with the failure that each clause prevents:
/// - `append` numbers without holes, in the order in which its calls complete, and an entry can be
///   read as soon as it is numbered: readers take a missing `n` for the end of the log, and would
///   wait for ever, or skip.
/// - `append` is all or nothing, for a reader in the midst of it too, and idempotent by event id:
///   an entry whose id the log already has keeps its place and its content, and is answered with
///   the position it has, so that a caller who does not know the outcome may try again.
/// - When `append` answers `Ok`, the entries are as durable as the log promises to be at all.
/// - An entry comes back as it was appended, its payload to the byte: clients compare what they
///   have with what comes.
/// - `read` and `history` see every completed `append`, and never a later one without the earlier;
///   and no answer is behind another that was given before, whichever method gave it: a client
///   would be told that it is ahead of the log.
/// - A page with fewer entries than `limit` has looked at everything there is, and `scanned` passes
///   over nothing that was asked for, also where `limit` is 0 or `after` is beyond the end: whoever
///   reads goes on there, or stops.
/// - Trimming removes the oldest entries first, raises what `trimmed` says *before* they are gone,
///   and never removes the last entry: a reader that saw no hole must not have missed one. What
///   counts as trimmed may be handed out for a while yet. What is trimmed in other rooms does not
///   count, or clients are told to reload for nothing.
/// - The epoch changes whenever entries may have been lost or replaced after somebody has seen
///   them: a log that does not outlive its process has a new one each time, and one that does keeps
///   its own.
/// - [`changes`](Self::changes) is told the new head after each append, and tells it to who
///   subscribes later. It may be told late, not never; it never goes back within an epoch, and
///   never tells what cannot be read yet.
///
/// `testing::log_contract` (feature `testing`) puts a log to every clause.
///
/// # Cancel safety
/// Dropping the future of `append` leaves the outcome open: the entries may be in the log, all of
/// them or none.
pub trait EventLog: Send + Sync + 'static {
    /// Adds entries, in order, and answers where each is.
    ///
    /// # Errors
    /// [`LogError::Unavailable`]: nothing was stored. [`LogError::Unknown`]: it may have been.
    fn append(
        &self,
        entries: Vec<NewEntry>,
    ) -> impl Future<Output = Result<Vec<Position>, LogError>> + Send;

    /// Where the log ends.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send;

    /// Up to `limit` entries after `after`: those in any of `rooms`, or all of them where `rooms`
    /// is `None`.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// What is known of entry `n`, of what was trimmed in `rooms`, and how many entries of theirs
    /// follow it, counted up to `limit`. One look at one state of the log.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send;

    /// Follows the number of the last entry.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Follows the number of the last entry that was appended *here*: the other nodes are rung for
    /// it. A log that only this process appends to has nobody to ring for, and need not tell the
    /// two apart. With a new epoch it begins at 0: else nobody would be rung for until the new
    /// history is as long as the old one.
    fn local_appends(&self) -> watch::Receiver<u64> {
        self.changes()
    }

    /// Somebody else may have appended: look soon, and tell it by [`changes`](Self::changes).
    /// Called often, and at once by several: it returns without waiting, and calls that come
    /// together may share one look. A log that only this process appends to has nothing to do.
    fn wake(&self) {}
}

/// Why the log did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The log cannot be reached or written now. Nothing was stored.
    #[error("the log is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The outcome is not known. Trying again with the same event ids is safe.
    #[error("the outcome of the append is not known")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The erased twin of [`EventLog`].
pub(crate) trait DynEventLog: Send + Sync {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>>;
    fn head(&self) -> BoxFuture<'_, Result<Head, LogError>>;
    fn read<'a>(
        &'a self,
        rooms: Option<&'a [Room]>,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page, LogError>>;
    fn history<'a>(
        &'a self,
        n: u64,
        rooms: &'a [Room],
        limit: usize,
    ) -> BoxFuture<'a, Result<History, LogError>>;
    fn changes(&self) -> watch::Receiver<u64>;
    fn local_appends(&self) -> watch::Receiver<u64>;
    fn wake(&self);
}

impl<L: EventLog> DynEventLog for L {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>> {
        Box::pin(EventLog::append(self, entries))
    }
    fn head(&self) -> BoxFuture<'_, Result<Head, LogError>> {
        Box::pin(EventLog::head(self))
    }
    fn read<'a>(
        &'a self,
        rooms: Option<&'a [Room]>,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page, LogError>> {
        Box::pin(EventLog::read(self, rooms, after, limit))
    }
    fn history<'a>(
        &'a self,
        n: u64,
        rooms: &'a [Room],
        limit: usize,
    ) -> BoxFuture<'a, Result<History, LogError>> {
        Box::pin(EventLog::history(self, n, rooms, limit))
    }
    fn changes(&self) -> watch::Receiver<u64> {
        EventLog::changes(self)
    }
    fn local_appends(&self) -> watch::Receiver<u64> {
        EventLog::local_appends(self)
    }
    fn wake(&self) {
        EventLog::wake(self);
    }
}
