//! The log in MongoDB: of many nodes, in the transactions in which records change.
//!
//! # How it behaves
//!
//! - **Start-up does not wait.** The log is there at once. Until the database has answered for the
//!   first time, whatever is asked is answered [`LogError::Unavailable`] after a few seconds.
//! - **Durable**: what was answered is in the journal of a majority of the servers, and is never
//!   rolled back.
//! - **Every call ends** within about 5 s, also where the database is frozen: with
//!   [`LogError::Unavailable`] where nothing was stored, with [`LogError::Unknown`] where that
//!   cannot be said.
//! - **Recent entries stay in memory** (4,096, at most 8 MiB). What other nodes append is looked
//!   for every 500 ms, and at once when [`wake`](crate::EventLog::wake) is called; however often
//!   that is, one small read is under way at a time.
//! - **At most 4,000 changes wait** to be written; one more is answered [`LogError::Unavailable`].
//! - **An older state** of the database, restored from a backup, begins a new epoch, and so does
//!   one that was dropped; clients are told to reload. It is noticed by whoever has seen more, or
//!   by the clients' positions.
//! - **A node that is killed** in the midst of a transaction leaves it open on the server. Who is
//!   kept waiting by one for more than a second ends all transactions of this application
//!   (`appName`, by default `metaia-realtime`) that rest.
//! - **Damage**: entries that are missing or cannot be read count as trimmed, for all rooms, and
//!   one line is logged.

mod append_in;
mod event_log;
mod follow;
pub(in crate::mongo) mod prepare;
pub(in crate::mongo) mod read;
pub(in crate::mongo) mod state;
mod trim;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{Committer, Mongo, Records, commit::Append, fault::Fault, records::NoRecords};
use crate::log::{LogError, Retention};
use state::Shared;

/// The log in MongoDB: see the [module](self) for how it behaves.
///
/// A handle: `clone` is cheap and shares the log. When the last one is dropped, and the last
/// [`Committer`] with it, its tasks end by themselves; [`close`](Self::close) waits for that.
#[derive(Clone)]
pub struct MongoLog {
    pub(super) shared: Arc<Shared>,
    appending: Arc<dyn Append>,
    tasks: TaskTracker,
    closing: CancellationToken,
    _dropped: Arc<DropGuard>,
}

impl MongoLog {
    /// The log of a database, and nothing else. To be called on a tokio runtime, on which its tasks
    /// run.
    #[must_use]
    pub fn open(mongo: &Mongo, retention: Retention) -> Self {
        Self::with_records(mongo, retention, NoRecords).0
    }

    /// The same, and the way to change records together with it: one transaction for both. To be
    /// called on a tokio runtime, on which its tasks run.
    pub fn with_records<R: Records>(
        mongo: &Mongo,
        retention: Retention,
        records: R,
    ) -> (Self, Committer<R>) {
        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        let shared = Arc::new(Shared::new(mongo.clone(), retention));
        tasks.spawn(follow::follow(Arc::downgrade(&shared), closing.clone()));
        tasks.spawn(trim::keep(Arc::downgrade(&shared), closing.clone()));
        let dropped = Arc::new(closing.clone().drop_guard());
        let committer = Committer::start(&shared, records, &tasks, &closing, &dropped);
        let appending = Arc::new(committer.clone());
        (
            Self {
                shared,
                appending,
                tasks,
                closing,
                _dropped: dropped,
            },
            committer,
        )
    }

    /// Waits until the log can be read, however long that takes.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] where the log is closed meanwhile.
    ///
    /// # Cancel safety
    /// Dropping the future does no harm.
    pub async fn ready(&self) -> Result<(), LogError> {
        let mut looked = self.shared.looked.subscribe();
        let seen = looked.wait_for(|look| look.seen.is_ok());
        tokio::select! {
            () = self.closing.cancelled() => Err(Fault::Closed.unavailable()),
            seen = seen => seen.map(drop).map_err(|_| Fault::Closed.unavailable()),
        }
    }

    /// Whether the log could be read when it was last looked at: at most about 5 s ago.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.looked.borrow().seen.is_ok()
    }

    /// Removes what is beyond the retention, and answers how many entries that were. Nodes may do
    /// it at the same time.
    ///
    /// # Errors
    /// See [`LogError`]. What was removed before stays removed.
    ///
    /// # Cancel safety
    /// Dropped, a part may have been removed.
    pub async fn trim(&self) -> Result<u64, LogError> {
        self.shared.trim().await.map_err(Fault::unavailable)
    }

    /// How often the database was read since the opening: for a page, or for the judging of a
    /// resume.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.shared.reads.load(Relaxed)
    }

    /// Ends the tasks. What waits to be written is answered [`LogError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped, some of it may be done; call it again.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl fmt::Debug for MongoLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoLog")
            .field("mongo", &self.shared.mongo)
            .finish_non_exhaustive()
    }
}
