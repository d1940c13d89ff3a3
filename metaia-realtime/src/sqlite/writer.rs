//! The handle of the writer thread.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use rusqlite::{Savepoint, ffi};
use tokio::sync::{mpsc, oneshot};

use super::{
    Migration, OpenError, Readers, SqliteOptions, WriteError, WriteObstacle, beside,
    error::sqlite_failure,
    job::WriteJob,
    lock::Lock,
    obstacle::{CurrentObstacle, FailedWrites},
    open,
    open_files::OpenFiles,
    stale,
    worker::{WriterCommand, WriterWorker, watch_log},
};
use crate::failure_log::FailureLog;

/// The bytes that a probe writes while there is an obstacle.
const PROBE_BYTES: usize = 256 * 1024;

/// Writes to one database, through one thread: see the [module](super) for how it behaves.
///
/// A handle: `clone` is cheap and shares the thread. When the last handle is dropped the thread
/// does what is queued, checkpoints and ends by itself; [`close`](Self::close) does the same and
/// waits for it.
#[derive(Clone)]
pub struct Writer {
    commands: mpsc::Sender<WriterCommand>,
    thread: Arc<WriterThread>,
}

/// The thread, as its handles see it.
struct WriterThread {
    path: PathBuf,
    files: Arc<OpenFiles>,
    commits: Arc<AtomicU64>,
    obstacle: Arc<CurrentObstacle>,
    /// Taken by the first `close`.
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Opens or creates the database, brings it to the latest migration, and starts the thread.
    ///
    /// # Errors
    /// See [`OpenError`]. The folder must exist.
    ///
    /// # Cancel safety
    /// Dropping the future closes the database again.
    pub async fn open(
        path: impl Into<PathBuf>,
        options: SqliteOptions,
        migrations: &'static [Migration],
    ) -> Result<Self, OpenError> {
        let path = path.into();
        let (commands, queue) = mpsc::channel(options.queue.max(1));
        let commits = Arc::new(AtomicU64::new(0));
        let obstacle = Arc::<CurrentObstacle>::default();
        let (opened, opening) = oneshot::channel();
        let start = WriterStart {
            path: path.clone(),
            options,
            migrations,
            commands: queue,
            commits: Arc::clone(&commits),
            obstacle: Arc::clone(&obstacle),
            opened,
        };
        let spawned = thread::Builder::new()
            .name("metaia-sqlite".to_owned())
            .spawn(move || start.run());
        let handle = spawned.map_err(|source| OpenError::io(&path, source))?;
        let files = opening
            .await
            .map_err(|_| OpenError::io(&path, io::Error::other("the writer thread ended")))??;
        let thread = WriterThread {
            path,
            files,
            commits,
            obstacle,
            handle: Mutex::new(Some(handle)),
        };
        Ok(Self {
            commands,
            thread: Arc::new(thread),
        })
    }

    /// Runs `work` inside a savepoint and returns its result, once that is committed. An `Err` of
    /// `work` rolls back what it did, and nothing else.
    ///
    /// `work` runs on the writer's thread: every other write waits for it, so compute before the
    /// call whatever can be computed there. It must not end the transaction, and foreign keys must
    /// be immediate: a deferred one that is violated fails the commit of the other writes too.
    ///
    /// # Errors
    /// See [`WriteError`], which says what is kept.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open: once queued, the write is done all the same.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, WriteError<E>>
    where
        F: FnOnce(&Savepoint<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.write_then(work, |_| ()).await
    }

    /// Does the same as [`write`](Self::write), and runs `after` between the commit and the return:
    /// on the writer's thread, in the order of the commits. `after` is not run if the write failed.
    /// It is the place to update an in-memory copy of the database.
    ///
    /// # Errors
    /// See [`WriteError`]. A panic of `after` is logged; the write stands.
    ///
    /// # Cancel safety
    /// As [`write`](Self::write): `after` runs even if the future is dropped.
    pub async fn write_then<T, E, F, A>(&self, work: F, after: A) -> Result<T, WriteError<E>>
    where
        F: FnOnce(&Savepoint<'_>) -> Result<T, E> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let job = Box::new(WriteJob::new(work, after, reply));
        self.commands
            .send(WriterCommand::Write(job))
            .await
            .map_err(|_| WriteError::Closed)?;
        result
            .await
            .unwrap_or_else(|_| Err(WriteError::Unknown(thread_ended())))
    }

    /// Returns a pool of up to `count` connections for reading beside the writer.
    #[must_use]
    pub fn readers(&self, count: usize) -> Readers {
        let files = Arc::clone(&self.thread.files);
        Readers::new(self.thread.path.clone(), files, count)
    }

    /// Returns the reason why the database cannot be written, as far as the last write showed one.
    #[must_use]
    pub fn obstacle(&self) -> Option<WriteObstacle> {
        self.thread.obstacle.get()
    }

    /// Finds out whether the database can be written. While there is no
    /// [`obstacle`](Self::obstacle), this looks at the files and waits for the queue, and writes
    /// nothing. Otherwise it writes 256 KiB to a file beside the database, deletes that, and writes
    /// the version of the database once more. The obstacle is gone if all of this works.
    ///
    /// # Errors
    /// See [`WriteError`].
    ///
    /// # Cancel safety
    /// As [`write`](Self::write).
    pub async fn probe(&self) -> Result<(), WriteError<rusqlite::Error>> {
        match self.obstacle() {
            None => self.write(|_| Ok(())).await,
            Some(_) => {
                let path = self.thread.path.clone();
                let probe = move |tx: &Savepoint<'_>| {
                    check_space(&path)?;
                    write_version_again(tx)
                };
                self.write(probe).await
            }
        }
    }

    /// Returns the path of the database's file.
    pub(crate) fn path(&self) -> &Path {
        &self.thread.path
    }

    /// Returns the number of transactions committed since the start. It is lower than the number of
    /// writes if they were committed in groups.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.thread.commits.load(Relaxed)
    }

    /// Does what is queued, moves the write-ahead log into the database, and ends the thread. Close
    /// the [`Readers`] first: an open read keeps the write-ahead log's file. Later writes return
    /// [`WriteError::Closed`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the thread ends all the same once it has the command; call `close`
    /// again to wait for that.
    pub async fn close(&self) {
        // An error means that the thread is closing already.
        let _ = self.commands.send(WriterCommand::Close).await;
        let handle = self.thread.handle.lock().take();
        let Some(handle) = handle else { return };
        let joined = tokio::task::spawn_blocking(move || handle.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the writer thread panicked");
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.thread.path)
            .finish_non_exhaustive()
    }
}

/// Checks that there is space for more than one page, which is all that the version takes: a disk
/// that is almost full would be taken for a writable one.
fn check_space(database: &Path) -> rusqlite::Result<()> {
    let probe = beside(database, ".probe");
    let written = fs::write(&probe, vec![0; PROBE_BYTES]);
    // After a failure, too: it may have a part.
    let _ = fs::remove_file(&probe);
    written.map_err(|error| sqlite_failure(ffi::SQLITE_IOERR_WRITE, &error.to_string()))
}

fn write_version_again(tx: &Savepoint<'_>) -> rusqlite::Result<()> {
    let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    tx.pragma_update(None, "user_version", version)
}

/// Returns the error of a write without a reply. Every queued write gets one, unless the thread
/// panics, which would be a bug of this module.
fn thread_ended() -> rusqlite::Error {
    sqlite_failure(ffi::SQLITE_ABORT, "the writer thread ended")
}

/// The parts that the thread starts with.
struct WriterStart {
    path: PathBuf,
    options: SqliteOptions,
    migrations: &'static [Migration],
    commands: mpsc::Receiver<WriterCommand>,
    commits: Arc<AtomicU64>,
    obstacle: Arc<CurrentObstacle>,
    opened: oneshot::Sender<Result<Arc<OpenFiles>, OpenError>>,
}

impl WriterStart {
    /// Opens the database, reports the result to [`Writer::open`], and runs the worker.
    fn run(self) {
        let path = &self.path;
        let database = Lock::take(path).and_then(|lock| {
            stale::set_aside(path)?;
            let mut connection = open::open_writable(path, &self.options, self.migrations)?;
            let log =
                watch_log(&mut connection).map_err(|source| OpenError::sqlite(path, source))?;
            let files = OpenFiles::of(path).map_err(|source| OpenError::io(path, source))?;
            Ok((connection, log, Arc::new(files), lock))
        });
        let (connection, log, files, lock) = match database {
            Ok(database) => database,
            Err(error) => {
                let _ = self.opened.send(Err(error));
                return;
            }
        };
        // An error means that the future of `open` was dropped: `commands` is closed then too, and
        // `run` ends at once.
        let _ = self.opened.send(Ok(Arc::clone(&files)));
        let worker = WriterWorker {
            path: self.path,
            connection,
            commands: self.commands,
            group: self.options.group.max(1),
            commits: self.commits,
            obstacle: self.obstacle,
            failed: FailedWrites::default(),
            checkpoints: FailureLog::default(),
            log,
            files,
            lock,
        };
        worker.run();
    }
}
