//! The log in SQLite: it outlives the process, and shares a transaction with the change that an
//! event tells of.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use metaia_realtime::{
//!     EventLog, NewEntry, Room,
//!     log::{Retention, SqliteLog, sqlite::AppendError},
//!     sqlite::{Migration, Options, Writer},
//! };
//!
//! const MIGRATIONS: &[Migration] =
//!     &[Migration { name: "orders", sql: "CREATE TABLE orders (id TEXT PRIMARY KEY, status TEXT) STRICT" }];
//!
//! # let folder = std::env::temp_dir().join(format!("metaia-doc-log-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let writer = Writer::open(folder.join("shop.db"), Options::default(), MIGRATIONS).await?;
//! let log = SqliteLog::on(&writer, Retention::DISK).await?;
//! // .log(log.clone()) on the builder delivers what is appended here.
//!
//! let event = NewEntry::event([Room::Everyone], ("order_placed", serde_json::json!({ "id": "o1" })))?;
//! let (inside, after) = (log.clone(), log.clone());
//! let appended = writer
//!     .write_then(
//!         move |tx| {
//!             tx.execute("INSERT INTO orders VALUES ('o1', 'pending')", [])?;
//!             inside.append_in(tx, &[event])
//!         },
//!         move |appended| after.committed(appended),
//!     )
//!     .await?;
//! assert_eq!(log.head().await?.position, appended.positions()[0]);
//! log.close().await;
//! writer.close().await;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it behaves
//!
//! - **One transaction.** [`SqliteLog::append_in`] writes entries in a transaction of yours. Their
//!   positions are known at once; if the transaction is rolled back nothing is left of them.
//! - **Durable** as the [`Writer`] is: with `full`, an answered append outlives a power cut.
//! - **Recent entries stay in memory** (4,096, at most 8 MiB): the dispatcher, and clients that
//!   were away for a short time, do not touch the database. [`SqliteLog::reads`] counts how often
//!   it is touched.
//! - **Retention** is applied by a task of its own, in writes of 64 entries, once a minute or when
//!   a bound is exceeded by more than one part in a hundred. [`SqliteLog::trim`] does it at once.
//!   The last entry is never deleted.
//! - **Opening** reads the last entries only, however long the log is.
//! - **An older copy** put in the database's place is noticed by the file `….mark` beside it, and
//!   so is a [backup](SqliteLog::backup): the log begins a new epoch, and clients are told to
//!   reload. Where you put another copy than a backup in its place, remove `….db-wal` and
//!   `….db-shm`.
//! - **Damage.** Every row has a checksum, and the index of the rooms notices a hole. Damaged
//!   entries are never handed out: everything up to them counts as trimmed, or all that is stored
//!   where it is the index; one line is logged. Found among the last entries at the opening, it
//!   begins a new epoch. A damaged file or a damaged record of where the log ends is refused, see
//!   [`OpenError`].

mod append;
mod backup;
mod damage;
mod devices;
mod event_log;
mod fault;
mod marks;
mod meta;
mod open;
mod read;
mod rooms;
mod row;
mod schema;
mod shared;
mod sum;
#[cfg(test)]
mod tests;
mod trim;
mod witness;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rusqlite::Connection;
use tokio::sync::{Notify, watch};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

pub use append::Appended;
pub use backup::{BackupError, backup};
pub use fault::AppendError;

use super::{LogError, NewEntry, Retention, tail::ENTRIES};
use crate::sqlite::{OpenError, Options, Writer};
use shared::Shared;

/// How many reads of the database run at once.
const READERS: usize = 4;

/// The log in SQLite: see the [module](self) for how it behaves.
///
/// A handle: `clone` is cheap and shares the log. When the last one is dropped its task ends by
/// itself; [`close`](Self::close) waits for that.
#[derive(Clone)]
pub struct SqliteLog {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    closing: CancellationToken,
    /// The writer is closed with the log where it was opened with it.
    owns_writer: bool,
    _dropped: Arc<DropGuard>,
}

impl SqliteLog {
    /// Opens or creates a database that is nothing but a log, with the default retention
    /// ([`Retention::DISK`]).
    ///
    /// # Errors
    /// See [`OpenError`]. The folder must exist.
    ///
    /// # Cancel safety
    /// Dropping the future closes the database again.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::open_with(path, Options::default(), Retention::DISK).await
    }

    /// The same with options and a retention of your own.
    ///
    /// # Errors
    /// See [`OpenError`]. The folder must exist.
    ///
    /// # Cancel safety
    /// Dropping the future closes the database again.
    pub async fn open_with(
        path: impl Into<PathBuf>,
        options: Options,
        retention: Retention,
    ) -> Result<Self, OpenError> {
        let writer = Writer::open(path, options, &[]).await?;
        Ok(Self {
            owns_writer: true,
            ..Self::on(&writer, retention).await?
        })
    }

    /// The log in a database that is written for other things too, through the same writer. Its
    /// tables are called `rt_…`; it makes them by itself and takes no part in your migrations. One
    /// log per writer.
    ///
    /// # Errors
    /// See [`OpenError`].
    ///
    /// # Cancel safety
    /// Dropped, the log may have begun a new epoch where it had to, and is otherwise as it was.
    pub async fn on(writer: &Writer, retention: Retention) -> Result<Self, OpenError> {
        let path = writer.path().to_owned();
        let opened = writer.write(move |db| open::begin(db, &path)).await;
        let mut opened = opened.map_err(|error| open::of_write(writer.path(), error))?;
        opened.witness.establish(opened.statement);
        let shared = Arc::new(Shared {
            writer: writer.clone(),
            readers: writer.readers(READERS),
            retention,
            head: watch::Sender::new(opened.tail.head().position.n()),
            tail: Mutex::new(opened.tail),
            witness: Mutex::new(opened.witness),
            reads: AtomicU64::new(0),
            crowded: Arc::new(Notify::new()),
        });
        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(trim::keep(Arc::downgrade(&shared), closing.clone()));
        let dropped = Arc::new(closing.clone().drop_guard());
        Ok(Self {
            shared,
            tasks,
            closing,
            owns_writer: false,
            _dropped: dropped,
        })
    }

    /// Writes entries in a transaction of the caller's on this log's database, and says where they
    /// will be. Those whose id the log has are answered with the position they have. Sizes are for
    /// the caller to check, see [`NewEntry::size`].
    ///
    /// Once it is committed, the log must be told: by [`committed`](Self::committed) in commit
    /// order (on the writer's thread, see [`Writer::write_then`]), or else by [`wake`](Self::wake).
    ///
    /// # Errors
    /// See [`AppendError`]. The transaction must be rolled back then.
    pub fn append_in(
        &self,
        transaction: &Connection,
        entries: &[NewEntry],
    ) -> Result<Appended, AppendError> {
        append::append(&self.shared, transaction, entries)
    }

    /// The entries are committed: whoever reads sees them, whoever waits is told. It does not touch
    /// the database.
    pub fn committed(&self, appended: &Appended) {
        self.shared.publish(&appended.fresh);
    }

    /// Looks for entries that others have committed, with connections of their own.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped, the entries may not have been found: call it again.
    pub async fn wake(&self) -> Result<(), LogError> {
        let known = self.shared.tail().head().position.n();
        let fresh = move |db: &Connection| {
            let meta = meta::Meta::read(db)?;
            let from = known
                .max(meta.floor)
                .max(meta.head.saturating_sub(ENTRIES as u64));
            if meta.head > from {
                read::all(db, &meta, from, ENTRIES)
            } else {
                Ok(Vec::new())
            }
        };
        let fresh = self.shared.from_database(fresh).await?;
        self.shared.publish(&fresh);
        Ok(())
    }

    /// Removes what is beyond the retention, and answers how many entries that were.
    ///
    /// # Errors
    /// See [`LogError`]. What was removed before stays removed.
    ///
    /// # Cancel safety
    /// Dropped, a part may have been removed.
    pub async fn trim(&self) -> Result<u64, LogError> {
        self.shared.trim().await
    }

    /// Copies the whole database, as it is at this moment, into a new file. Writes go on meanwhile.
    /// Opened as a log, the copy begins a new epoch.
    ///
    /// # Errors
    /// See [`BackupError`]; an existing file is refused and left alone.
    ///
    /// # Cancel safety
    /// Dropped, the copy is made all the same.
    pub async fn backup(&self, to: impl Into<PathBuf>) -> Result<(), BackupError> {
        let (from, to) = (self.shared.writer.path().to_owned(), to.into());
        let failed = to.clone();
        let copying = tokio::task::spawn_blocking(move || backup(&from, &to)).await;
        copying.unwrap_or_else(|error| {
            Err(BackupError::Unwritable {
                path: failed,
                source: error.into(),
            })
        })
    }

    /// How often the database was read since the opening: for a page, for the judging of a resume,
    /// or for the record of a device.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.shared.reads.load(Relaxed)
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.shared.writer.path()
    }

    /// Ends the trimming task and the reads, and the writer where it was opened with the log. Later
    /// reads of what is not in memory are answered [`LogError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped, some of it may be done; call it again.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.shared.readers.close().await;
        if self.owns_writer {
            self.shared.writer.close().await;
        }
    }
}

impl fmt::Debug for SqliteLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLog")
            .field("writer", &self.shared.writer)
            .finish_non_exhaustive()
    }
}

/// As a column holds it, or as the nearest that it can hold: no entry has a number beyond 2⁵³.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
