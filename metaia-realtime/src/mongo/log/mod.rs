//! The log in MongoDB: shared by many nodes, and written in the transactions that change records.
//!
//! # How it behaves
//!
//! - **Start-up does not wait.** [`MongoLog::open`] returns at once. Until the database has
//!   answered for the first time, every operation returns [`LogError::Unavailable`] after a few
//!   seconds.
//! - **Durable**: an acknowledged write is in the journal of a majority of the servers, and is
//!   never rolled back.
//! - **Every call ends** within about 5 s, also if the database is frozen: with
//!   [`LogError::Unavailable`] if nothing was stored, with [`LogError::Unknown`] if that is not
//!   known.
//! - **Recent entries stay in memory** (4,096, at most 8 MiB). Appends of other nodes are polled
//!   for every 500 ms, and at once when [`wake`](crate::EventLog::wake) is called. However often
//!   that is, one small read is under way at a time.
//! - **At most 4,000 changes wait** to be written; a further one is refused with
//!   [`LogError::Unavailable`].
//! - **An older state** of the database, restored from a backup, begins a new epoch, and so does a
//!   database that was dropped; clients are told to reload. A node that has seen more entries
//!   notices it, or the positions of clients show it.
//! - **A node that is killed** in the middle of a transaction leaves it open on the server. A node
//!   that cannot write for more than a second because of that aborts all idle transactions of this
//!   application (`appName`, by default `metaia-realtime`).
//! - **Damage**: entries that are missing or cannot be read count as trimmed in all rooms, and one
//!   line is logged.

mod append_in;
mod catch_up;
mod decode;
mod event_log;
mod follow;
mod prepare;
mod read;
mod running;
pub(in crate::mongo) mod state;
mod trim;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures_util::future::BoxFuture;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

pub(super) use running::RunningLog;

use super::fault::MongoFault;
use crate::{NewEntry, Position, log::LogError};
use state::MongoLogState;

/// The log in MongoDB: see the [module](self) for its behavior.
///
/// A handle: `clone` is cheap and shares the log. When the last handle and the last
/// [`Committer`](super::Committer) are dropped, the tasks of the log end by themselves;
/// [`close`](Self::close) waits for that.
#[derive(Clone)]
pub struct MongoLog {
    state: Arc<MongoLogState>,
    appender: Arc<dyn Appender>,
    tasks: TaskTracker,
    closing: CancellationToken,
    _dropped: Arc<DropGuard>,
}

/// Appends entries to the log. It is the [`Committer`](super::Committer), whatever its records are.
pub(super) trait Appender: Send + Sync {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>>;
}

impl MongoLog {
    /// Returns a handle to a running log, which appends by its committer.
    pub(super) fn new(running: RunningLog, appender: Arc<dyn Appender>) -> Self {
        let RunningLog {
            state,
            tasks,
            closing,
            dropped,
        } = running;
        Self {
            state,
            appender,
            tasks,
            closing,
            _dropped: dropped,
        }
    }

    /// Waits until the log can be read, however long that takes.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the log is closed in the meantime.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn ready(&self) -> Result<(), LogError> {
        let mut head_read = self.state.head_read.subscribe();
        let succeeded = head_read.wait_for(|read| read.head.is_ok());
        tokio::select! {
            () = self.closing.cancelled() => Err(MongoFault::Closed.unavailable()),
            read = succeeded => read.map(drop).map_err(|_| MongoFault::Closed.unavailable()),
        }
    }

    /// Returns true if the last read of the log succeeded. That read is at most about 5 s old.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state.head_read.borrow().head.is_ok()
    }

    /// Removes entries beyond the retention and returns their number. Several nodes may do it at
    /// the same time.
    ///
    /// # Errors
    /// Returns a [`LogError`] if the database fails. Entries that were removed before stay removed.
    ///
    /// # Cancel safety
    /// If the future is dropped, a part of the entries may have been removed.
    pub async fn trim(&self) -> Result<u64, LogError> {
        self.state.trim().await.map_err(MongoFault::unavailable)
    }

    /// Returns the number of reads from the database since the log was opened, for a page or for
    /// the check of a position to resume from.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state.reads.load(Relaxed)
    }

    /// Ends the tasks. Changes that wait to be written fail with [`LogError::Unavailable`].
    ///
    /// # Cancel safety
    /// If the future is dropped, some tasks may still run. Call the method again.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl fmt::Debug for MongoLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoLog")
            .field("mongo", &self.state.mongo)
            .finish_non_exhaustive()
    }
}
