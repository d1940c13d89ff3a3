//! Connections for reading, beside the writer.
//!
//! Each is opened when it is first needed, and kept. When all are busy, a read waits for one.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{ReadError, open};

/// A small pool of read-only connections.
///
/// A handle: `clone` is cheap and shares the pool; the connections are closed with the last one.
#[derive(Clone)]
pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    count: u32,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, count: usize) -> Self {
        let count = u32::try_from(count.clamp(1, 64)).unwrap_or(64);
        let places = Arc::new(Semaphore::new(count as usize));
        Self {
            shared: Arc::new(Shared {
                path,
                count,
                places,
                idle: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Runs `work` on tokio's blocking threads, on one snapshot of the database: what was answered
    /// as written before is in it, and it does not change meanwhile.
    ///
    /// # Errors
    /// See [`ReadError`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing; a `work` that has begun goes on to its end and keeps
    /// its connection so long.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, ReadError<E>>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let place = Arc::clone(&self.shared.places)
            .acquire_owned()
            .await
            .map_err(|_| ReadError::Closed)?;
        let shared = Arc::clone(&self.shared);
        let reading = tokio::task::spawn_blocking(move || {
            let answer = shared.run(work);
            drop(place);
            answer
        });
        // An error means that the runtime is shutting down: panics of `work` are caught inside.
        reading.await.unwrap_or(Err(ReadError::Closed))
    }

    /// Waits for the reads that run, closes the connections, and answers later reads
    /// [`ReadError::Closed`].
    ///
    /// # Cancel safety
    /// Dropped, nothing is closed.
    pub async fn close(&self) {
        if let Ok(all) = self.shared.places.acquire_many(self.shared.count).await {
            self.shared.places.close();
            self.shared.idle().clear();
            drop(all);
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers")
            .field("path", &self.shared.path)
            .field("count", &self.shared.count)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<T, E>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, ReadError<E>> {
        let kept = self.idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open::readable(&self.path).map_err(ReadError::Unavailable)?,
        };
        // A connection on which something panicked is dropped with its snapshot.
        let answer = catch_unwind(AssertUnwindSafe(|| on_snapshot(&connection, work)))
            .map_err(|_| ReadError::Panicked)?;
        self.idle().push(connection);
        answer
    }
}

fn on_snapshot<T, E>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, ReadError<E>> {
    let snapshot = connection
        .unchecked_transaction()
        .map_err(ReadError::Unavailable)?;
    let answer = work(&snapshot).map_err(ReadError::Refused);
    // Reading leaves nothing to keep; a failing rollback means that it is rolled back already.
    let _ = snapshot.rollback();
    answer
}
