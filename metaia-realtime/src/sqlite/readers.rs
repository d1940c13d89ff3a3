//! Connections for reading, beside the writer.
//!
//! The pool opens a connection when it first needs it, and keeps it. If all are busy, a read waits
//! for one.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::{ReadError, open, open_files::OpenFiles};

const MAX_CONNECTIONS: u32 = 64;

/// A small pool of read-only connections.
///
/// A handle: `clone` is cheap and shares the pool; the connections are closed with the last one.
#[derive(Clone)]
pub struct Readers {
    pool: Arc<Pool>,
}

/// The connections that the handles share.
struct Pool {
    path: PathBuf,
    files: Arc<OpenFiles>,
    count: u32,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, files: Arc<OpenFiles>, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(MAX_CONNECTIONS);
        let count = count.clamp(1, MAX_CONNECTIONS);
        let places = Arc::new(Semaphore::new(count as usize));
        Self {
            pool: Arc::new(Pool {
                path,
                files,
                count,
                places,
                idle: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Runs `work` on tokio's blocking threads, on one snapshot of the database. The snapshot has
    /// every write that returned before, and does not change during the read.
    ///
    /// # Errors
    /// See [`ReadError`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing; a `work` that has begun runs to its end and keeps its
    /// connection until then.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, ReadError<E>>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let place = Arc::clone(&self.pool.places)
            .acquire_owned()
            .await
            .map_err(|_| ReadError::Closed)?;
        let pool = Arc::clone(&self.pool);
        let (done, result) = oneshot::channel();
        on_blocking_thread(Box::new(move || {
            let result = pool.run(work);
            drop(place);
            // The caller may have dropped the future.
            let _ = done.send(result);
        }));
        // An error means that the runtime is shutting down: panics of `work` are caught inside.
        result.await.unwrap_or(Err(ReadError::Closed))
    }

    /// Waits for the running reads and closes the connections. Later reads return
    /// [`ReadError::Closed`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is closed.
    pub async fn close(&self) {
        if let Ok(all) = self.pool.places.acquire_many(self.pool.count).await {
            self.pool.places.close();
            self.pool.idle.lock().clear();
            drop(all);
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers")
            .field("path", &self.pool.path)
            .field("count", &self.pool.count)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Opens a connection, to the file that the writer has.
    fn open(&self) -> rusqlite::Result<Connection> {
        self.files.check()?;
        open::readable(&self.path)
    }

    fn run<T, E>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, ReadError<E>> {
        // A statement of its own, so that the lock is released before a connection is opened.
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().map_err(ReadError::Unavailable)?,
        };
        // A connection on which `work` panicked is dropped with its snapshot.
        let result = catch_unwind(AssertUnwindSafe(|| on_snapshot(&connection, work)))
            .map_err(|_| ReadError::Panicked)?;
        self.idle.lock().push(connection);
        result
    }
}

/// Runs a read on one of tokio's blocking threads. The read is boxed: a task for each type of read
/// made the crates that use this one slow to compile.
fn on_blocking_thread(read: Box<dyn FnOnce() + Send>) {
    drop(tokio::task::spawn_blocking(read));
}

fn on_snapshot<T, E>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, ReadError<E>> {
    let snapshot = connection
        .unchecked_transaction()
        .map_err(ReadError::Unavailable)?;
    let result = work(&snapshot).map_err(ReadError::Refused);
    // A read has nothing to commit; a failing rollback means that it is rolled back already.
    let _ = snapshot.rollback();
    result
}
