//! The log: the history of deliveries, append-only, in one total order.
//!
//! Every published event becomes an [`Entry`]. Its number `n` rises by one, without holes, in the
//! order of the commits. A client that reconnects sends the [`Position`] of the last entry that it
//! has, and receives the entries that follow or is told to reload.

// Entries, and the receipt or error of a publisher.
mod control;
mod entry;
mod kind;
mod new_entry;
mod publish;

// Positions and retention: whether a client can continue from a position.
mod resume;
mod retention;
pub(crate) mod trimmed;

// Recent entries in memory: what a node and the logs have in common, then the window of a node, and
// the tail of a log that is stored elsewhere.
mod last_entries;
mod recent;
#[cfg(any(feature = "mongodb", feature = "sqlite"))]
pub(crate) mod tail;

// Logs, and how they notify their subscribers.
pub(crate) mod changes;
mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::sync::watch;

pub(crate) use control::Control;
pub use entry::Entry;
pub(crate) use kind::EntryKind;
pub(crate) use last_entries::Bounds;
pub use memory::MemoryLog;
pub use new_entry::{DamagedEntry, NewEntry};
pub use publish::{PublishError, PublishReceipt};
pub(crate) use recent::Recent;
pub(crate) use resume::{ResetReason, Resumable, ResumeFacts, judge};
pub use retention::Retention;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteLog;

use crate::{
    Position, Room,
    revocation::LogRevocations,
    values::{Epoch, EventId},
};

/// The end of the log, and the range of entries that it still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The position of the last entry.
    pub position: Position,
    /// The number up to and including which entries have been trimmed; 0 if none has.
    pub floor: u64,
}

/// A page of entries in order, with the facts that its reader needs to find holes.
#[derive(Debug, Clone)]
pub struct Page {
    /// The log's epoch at the time of the read. If it differs from the epoch of an earlier page,
    /// the entries of that page may no longer be in the log.
    pub epoch: Epoch,
    /// The matching entries, by rising `n`.
    pub entries: Vec<Arc<Entry>>,
    /// The number up to which the log has been searched: the next read continues after it.
    pub scanned: u64,
    /// The highest number of a trimmed entry in the requested rooms; 0 if none was trimmed. If it
    /// is above the position that the reader started from, the reader has a hole.
    pub trimmed: u64,
}

/// The facts that decide whether a client can resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// The end of the log now.
    pub head: Position,
    /// The id of the requested entry, if the log still has it.
    pub entry: Option<EventId>,
    /// As [`Page::trimmed`].
    pub trimmed: u64,
    /// The number of entries in the requested rooms after the requested entry, counted up to the
    /// requested limit.
    pub missed: usize,
}

/// An append-only log in one total order.
///
/// Contract, with the failure that each clause prevents:
/// - `append` numbers entries without holes, in the order in which its calls complete, and an entry
///   can be read as soon as it has a number: readers take a missing `n` for the end of the log, and
///   would wait for ever, or skip.
/// - `append` is all or nothing, also for a reader during the append, and idempotent by event id:
///   an entry whose id the log already has keeps its place and its content, and `append` returns
///   the position that it has. So a caller that does not know the outcome may try again.
/// - When `append` returns `Ok`, the entries are as durable as the log promises to be at all.
/// - An entry is read as it was appended, its payload to the byte: clients compare what they have
///   with what arrives. A control entry that is lost, or is read as an event, leaves sessions in
///   rooms that they lost.
/// - `head`, `read` and `history` see every completed `append`, and never a later one without the
///   earlier; and no result is behind an earlier result, whichever method returned it: a client
///   would be told that it is ahead of the log, or by `rt:sync` that nothing is missing.
/// - A page with fewer entries than `limit` has searched the whole log, and `scanned` passes over
///   no requested entry, also if `limit` is 0 or `after` is beyond the end: a reader continues at
///   `scanned`, or stops.
/// - Trimming removes the oldest entries first, raises `trimmed` *before* they are gone, and never
///   removes the last entry: a reader that saw no hole must not have missed one. Entries that count
///   as trimmed may still be returned for a while. Entries that were trimmed in other rooms do not
///   count, or clients would be told to reload for nothing.
/// - The epoch changes whenever entries may have been lost or replaced after a reader has seen
///   them: a log that does not outlive its process has a new epoch each time, and one that does
///   keeps its epoch.
/// - [`changes`](Self::changes) yields the number of the newest readable entry after each append,
///   and the current number to a new subscriber. It may lag but delivers eventually; it never
///   decreases within an epoch, and never yields a number that cannot be read yet.
///
/// A log that keeps entries anywhere but in memory stores the text of their parts: the id, the
/// rooms, the name and the payload. When it reads them, [`NewEntry::stored`] makes the entry again.
/// This holds for events and for control entries alike, whose names begin with `rt:`, also for
/// those that only a newer version can read. An event that cannot be made again counts as trimmed,
/// with everything before it: a read that fails at it each time would stop the delivery of all that
/// follows. The example `own_log` is such a log.
///
/// `testing::log_contract` (feature `testing`) tests a log against every clause.
///
/// # Cancel safety
/// Dropping the future of `append` leaves the outcome open: all of the entries may be in the log,
/// or none of them.
pub trait EventLog: Send + Sync + 'static {
    /// Appends entries in order and returns the position of each.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if nothing was stored, and [`LogError::Unknown`] if the
    /// entries may have been stored.
    fn append(
        &self,
        entries: Vec<NewEntry>,
    ) -> impl Future<Output = Result<Vec<Position>, LogError>> + Send;

    /// Returns the end of the log.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the log cannot be read.
    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send;

    /// Returns the end of the log, and never one from before an `append` that any process had
    /// completed when this was called: `rt:sync` proves by it that nothing is missing.
    ///
    /// By default this is [`head`](Self::head). Override it if that may be an old one for a moment,
    /// as the answer of a database that does not know yet that another one has replaced it.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the log cannot be read.
    fn certain_head(&self) -> impl Future<Output = Result<Head, LogError>> + Send {
        self.head()
    }

    /// Reads up to `limit` entries after number `after`: those in any of `rooms`, or all if `rooms`
    /// is `None`.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the log cannot be read.
    fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// Returns the facts that decide whether a client in `rooms` can resume after entry `n`: the
    /// entry's id, the trimmed entries, and the number of entries that follow, counted up to
    /// `limit`. All of them come from one state of the log.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the log cannot be read.
    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send;

    /// Follows the number of the last entry.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Follows the number of the last entry that was appended *here*, through this log or its
    /// clones: the node notifies the other nodes of it.
    ///
    /// A log that only this process appends to has no other node to notify, and need not tell the
    /// two apart: by default this is [`changes`](Self::changes). The number starts again at 0 with
    /// a new epoch; otherwise no node would be notified until the new history is as long as the
    /// old.
    fn local_appends(&self) -> watch::Receiver<u64> {
        self.changes()
    }

    /// Wakes the log because another process may have appended: the log should look soon, and
    /// report new entries through [`changes`](Self::changes).
    ///
    /// It is called often, and by several tasks at once. It returns without waiting, and calls that
    /// arrive close together may share one look. By default, for a log that only this process
    /// appends to, it does nothing.
    fn wake(&self) {}

    /// Returns the store of revocations beside this log, with the same life: a token that was
    /// revoked must stay revoked when the process starts again. The node uses it unless it is given
    /// [another one](crate::RealtimeBuilder::revocation_store). By default there is none, and
    /// revocations are kept in memory.
    fn revocations(&self) -> Option<LogRevocations> {
        None
    }

    /// Returns the name of this kind of log, for metrics: the same word for every log of the type.
    /// The logs of this crate are `memory`, `sqlite` and `mongodb`. By default it is `custom`.
    fn name(&self) -> &'static str {
        "custom"
    }
}

/// Reason why an operation on the log failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The log cannot be read or written now. Nothing was stored.
    #[error("the log is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The outcome of the append is not known. Trying again with the same event ids is safe.
    #[error("the outcome of the append is not known")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The erased twin of [`EventLog`].
pub(crate) trait DynEventLog: Send + Sync {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>>;
    fn head(&self) -> BoxFuture<'_, Result<Head, LogError>>;
    fn certain_head(&self) -> BoxFuture<'_, Result<Head, LogError>>;
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
    fn revocations(&self) -> Option<LogRevocations>;
    fn name(&self) -> &'static str;
}

impl<L: EventLog> DynEventLog for L {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>> {
        Box::pin(EventLog::append(self, entries))
    }
    fn head(&self) -> BoxFuture<'_, Result<Head, LogError>> {
        Box::pin(EventLog::head(self))
    }
    fn certain_head(&self) -> BoxFuture<'_, Result<Head, LogError>> {
        Box::pin(EventLog::certain_head(self))
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
    fn revocations(&self) -> Option<LogRevocations> {
        EventLog::revocations(self)
    }
    fn name(&self) -> &'static str {
        EventLog::name(self)
    }
}
