//! The handle of the writer thread.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Savepoint, ffi};
use tokio::sync::{mpsc, oneshot};

use super::{
    Migration, OpenError, Options, Readers, WriteError,
    job::Request,
    lock::Lock,
    open, stale,
    worker::{Command, Worker, count_pages, failure},
};

/// Writes to one database, through one thread: see the [module](super) for how it behaves.
///
/// A handle: `clone` is cheap and shares the thread. When the last one is dropped the thread does
/// what is queued, checkpoints and ends by itself; [`close`](Self::close) does the same and waits
/// for it.
#[derive(Clone)]
pub struct Writer {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    commits: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
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
        options: Options,
        migrations: &'static [Migration],
    ) -> Result<Self, OpenError> {
        let path = path.into();
        let (commands, queue) = mpsc::channel(options.queue.max(1));
        let commits = Arc::new(AtomicU64::new(0));
        let (opened, answer) = oneshot::channel();
        let worker = {
            let (path, commits) = (path.clone(), Arc::clone(&commits));
            move || start(&path, &options, migrations, queue, commits, opened)
        };
        let thread = thread::Builder::new()
            .name("metaia-sqlite".to_owned())
            .spawn(worker);
        let thread = thread.map_err(|source| OpenError::io(&path, source))?;
        match answer.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                return Err(OpenError::io(
                    &path,
                    std::io::Error::other("the writer thread ended"),
                ));
            }
        }
        let shared = Shared {
            path,
            commits,
            thread: Mutex::new(Some(thread)),
        };
        Ok(Self {
            commands,
            shared: Arc::new(shared),
        })
    }

    /// Runs `work` inside a savepoint and answers what it answered, once that is committed. An
    /// `Err` of `work` rolls back what it did, and nothing else.
    ///
    /// `work` runs on the writer's thread: everybody waits for it, so it computes nothing that
    /// could be computed before. It must not end the transaction, and foreign keys must be
    /// immediate: a deferred one that is broken fails the commit of the neighbours too.
    ///
    /// # Errors
    /// See [`WriteError`], which says what is kept.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open: once queued, the write is done whether somebody
    /// waits or not.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, WriteError<E>>
    where
        F: FnOnce(&Savepoint<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.write_then(work, |_| ()).await
    }

    /// As [`write`](Self::write), and runs `after` between the commit and the answer: on the
    /// writer's thread, in the order of the commits. It is not run where the write failed. What is
    /// memory's copy of the database is fed here.
    ///
    /// # Errors
    /// See [`WriteError`]. A panic of `after` is logged; the write stands.
    ///
    /// # Cancel safety
    /// As [`write`](Self::write): `after` runs whether somebody waits or not.
    pub async fn write_then<T, E, F, A>(&self, work: F, after: A) -> Result<T, WriteError<E>>
    where
        F: FnOnce(&Savepoint<'_>) -> Result<T, E> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Request::new(work, after, reply));
        self.commands
            .send(Command::Write(job))
            .await
            .map_err(|_| WriteError::Closed)?;
        answer
            .await
            .unwrap_or_else(|_| Err(WriteError::Unknown(ended())))
    }

    /// Up to `count` connections for reading beside the writer.
    #[must_use]
    pub fn readers(&self, count: usize) -> Readers {
        Readers::new(self.shared.path.clone(), count)
    }

    /// The database's file.
    pub(crate) fn path(&self) -> &Path {
        &self.shared.path
    }

    /// How many transactions have been committed since the start. Below the number of writes where
    /// they came in groups.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Relaxed)
    }

    /// Does what is queued, moves the write-ahead log into the database, and ends the thread. Close
    /// the [`Readers`] first: an open read keeps the log file. Later writes are answered
    /// [`WriteError::Closed`].
    ///
    /// # Cancel safety
    /// Dropped, the thread ends all the same once it was told; call it again to wait for that.
    pub async fn close(&self) {
        // An error means that it is closing already.
        let _ = self.commands.send(Command::Close).await;
        let thread = self
            .shared
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the writer thread panicked");
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}

/// Every queued request is answered, unless the thread panics, which would be a bug of this module.
fn ended() -> rusqlite::Error {
    failure(ffi::SQLITE_ABORT, "the writer thread ended")
}

/// The thread: opens, says so, works.
fn start(
    path: &Path,
    options: &Options,
    migrations: &[Migration],
    commands: mpsc::Receiver<Command>,
    commits: Arc<AtomicU64>,
    opened: oneshot::Sender<Result<(), OpenError>>,
) {
    let database = Lock::take(path).and_then(|lock| {
        stale::put_aside(path)?;
        let mut connection = open::writable(path, options, migrations)?;
        let pages =
            count_pages(&mut connection).map_err(|source| OpenError::sqlite(path, source))?;
        Ok((connection, pages, lock))
    });
    let (connection, pages, lock) = match database {
        Ok(database) => database,
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    // Nobody waits any more: `commands` is closed then too, and `run` ends at once.
    let _ = opened.send(Ok(()));
    Worker {
        connection,
        commands,
        group: options.group.max(1),
        commits,
        pages,
        lock,
    }
    .run();
}
