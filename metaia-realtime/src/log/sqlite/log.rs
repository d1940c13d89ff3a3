//! [`SqliteLog`]: opens the log, starts its tasks, and closes it. Reads and appends are in
//! [`event_log`](super::event_log) and [`append`](mod@super::append).

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Notify, watch};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    append::{self, Appended},
    backup::{BackupError, backup},
    fault::AppendError,
    follow,
    open::{self, OpenedLog},
    state::SqliteLogState,
    trim,
};
use crate::{
    log::{LogError, NewEntry, Retention},
    sqlite::{OpenError, SqliteOptions, Writer},
};

/// Reads of the database that run at once.
const READERS: usize = 4;

/// The log in SQLite: see the [module](super) for how it behaves.
///
/// A handle: `clone` is cheap and shares the log. When the last handle is dropped its tasks end
/// by themselves; [`close`](Self::close) waits for that.
#[derive(Clone)]
pub struct SqliteLog {
    pub(super) state: Arc<SqliteLogState>,
    tasks: TaskTracker,
    closing: CancellationToken,
    /// Set if the writer was opened with the log: it is then closed with it.
    owns_writer: bool,
    /// Cancels `closing` when the last handle is dropped.
    _closing_guard: Arc<DropGuard>,
}

impl SqliteLog {
    /// Opens or creates a database that contains only a log, with the default retention
    /// ([`Retention::DISK`]).
    ///
    /// # Errors
    /// See [`OpenError`]. The folder must exist.
    ///
    /// # Cancel safety
    /// Dropping the future closes the database again.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::open_with(path, SqliteOptions::default(), Retention::DISK).await
    }

    /// Does the same as [`open`](Self::open), with your own options and retention.
    ///
    /// # Errors
    /// See [`OpenError`]. The folder must exist.
    ///
    /// # Cancel safety
    /// Dropping the future closes the database again.
    pub async fn open_with(
        path: impl Into<PathBuf>,
        options: SqliteOptions,
        retention: Retention,
    ) -> Result<Self, OpenError> {
        let writer = Writer::open(path, options, &[]).await?;
        let log = Self::on(&writer, retention).await?;
        Ok(Self {
            owns_writer: true,
            ..log
        })
    }

    /// Opens the log in a database that has other tables too, through the same writer. The log
    /// creates its tables, called `rt_…`, by itself and takes no part in your migrations. Open one
    /// log per writer.
    ///
    /// # Errors
    /// See [`OpenError`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the log may have begun a new epoch if it had to, and is otherwise
    /// as it was.
    pub async fn on(writer: &Writer, retention: Retention) -> Result<Self, OpenError> {
        let path = writer.path().to_owned();
        let opened = writer.write(move |db| open::open_log(db, &path)).await;
        let opened = opened.map_err(|error| open::open_failed(writer.path(), error))?;
        Ok(Self::start(opened, writer, retention))
    }

    /// Starts the tasks of a log whose opening is committed.
    fn start(mut opened: OpenedLog, writer: &Writer, retention: Retention) -> Self {
        // After the commit: the witness must not state an epoch that the database does not have.
        opened.witness.record_durably(opened.statement);
        let state = Arc::new(SqliteLogState {
            writer: writer.clone(),
            readers: writer.readers(READERS),
            retention,
            head: watch::Sender::new(opened.tail.head().position.n()),
            tail: Mutex::new(opened.tail),
            witness: Mutex::new(opened.witness),
            reads: AtomicU64::new(0),
            crowded: Arc::new(Notify::new()),
            woken: Arc::new(Notify::new()),
        });
        let tasks = TaskTracker::new();
        let closing = CancellationToken::new();
        // The tasks have weak references, so that they do not keep a dropped log open.
        tasks.spawn(trim::run(Arc::downgrade(&state), closing.clone()));
        tasks.spawn(follow::run(Arc::downgrade(&state), closing.clone()));
        let closing_guard = Arc::new(closing.clone().drop_guard());
        Self {
            state,
            tasks,
            closing,
            owns_writer: false,
            _closing_guard: closing_guard,
        }
    }

    /// Writes entries in the caller's transaction on this log's database, and returns the positions
    /// that they will have. An entry whose id is in the log already keeps its position. The caller
    /// checks sizes, see [`NewEntry::size`].
    ///
    /// The connection is that of a [`Writer`], or one of your own to the same file in the same
    /// process, by the version of rusqlite that this crate uses. Begin a transaction of your own
    /// with `TransactionBehavior::Immediate`, or SQLite may refuse the write as busy. No second
    /// process may write to the database while the [`Writer`] is open.
    ///
    /// After the commit the log must be notified, in one of two ways:
    /// - by [`committed`](Self::committed) on the writer's thread (see [`Writer::write_then`]),
    ///   which reads nothing again;
    /// - by [`Realtime::wake`](crate::Realtime::wake) or
    ///   [`EventLog::wake`](crate::EventLog::wake), from anywhere: the log then reads the entries.
    ///
    /// # Errors
    /// See [`AppendError`]. The transaction must be rolled back then.
    pub fn append_in(
        &self,
        transaction: &Connection,
        entries: &[NewEntry],
    ) -> Result<Appended, AppendError> {
        append::append(&self.state, transaction, entries)
    }

    /// Makes committed entries visible to readers, and notifies the subscribers of
    /// [`changes`](crate::EventLog::changes). Does not touch the database.
    ///
    /// Call it in the order of the commits, which the second function of [`Writer::write_then`] is
    /// called in. It is not needed if you call [`EventLog::wake`](crate::EventLog::wake) instead.
    pub fn committed(&self, appended: &Appended) {
        self.state.add_fresh(&appended.fresh);
    }

    /// Deletes the entries beyond the retention, and returns their number.
    ///
    /// # Errors
    /// See [`LogError`]. Entries that were deleted before the error stay deleted.
    ///
    /// # Cancel safety
    /// If the future is dropped, some of the entries may have been deleted.
    pub async fn trim(&self) -> Result<u64, LogError> {
        self.state.trim().await
    }

    /// Copies the whole database, as it is at this moment, into a new file. Writes continue
    /// meanwhile. Opened as a log, the copy begins a new epoch.
    ///
    /// # Errors
    /// See [`BackupError`]; an existing file is refused and left alone.
    ///
    /// # Cancel safety
    /// If the future is dropped, the copy is made all the same.
    pub async fn backup(&self, to: impl Into<PathBuf>) -> Result<(), BackupError> {
        let from = self.state.writer.path().to_owned();
        let to = to.into();
        let copy = to.clone();
        let copying = tokio::task::spawn_blocking(move || backup(&from, &copy)).await;
        match copying {
            Ok(copied) => copied,
            Err(error) => Err(BackupError::Unwritable {
                path: to,
                source: error.into(),
            }),
        }
    }

    /// Returns the number of reads of the database since the opening: for a page, for a resume
    /// decision, or for the record of a device.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state.reads.load(Relaxed)
    }

    /// Returns the path of the database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.state.writer.path()
    }

    /// Ends the trimming task and the reads, and the writer if it was opened with the log. Later
    /// reads of entries that are not in memory return [`LogError::Unavailable`].
    ///
    /// # Cancel safety
    /// If the future is dropped, a part of it may be done; call it again.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.state.readers.close().await;
        if self.owns_writer {
            self.state.writer.close().await;
        }
    }
}

impl fmt::Debug for SqliteLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLog")
            .field("writer", &self.state.writer)
            .finish_non_exhaustive()
    }
}
