//! The handle to a database.

use std::{
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use mongodb::{Client, Database, bson::doc, error::Error};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::TaskTracker;

use super::{
    deployment::Deployment,
    fault::MongoFault,
    options::{DEFAULT_APP_NAME, MongoOptions, OPERATION_TIMEOUT},
    uri::{self, UriError},
};
use crate::log::LogError;

/// The most operations that may be unfinished at a time, including those whose callers have timed
/// out.
const MAX_UNFINISHED: usize = 512;

/// The time that [`Mongo::close`] waits for unfinished operations, and then for the client.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A client and one of its databases.
///
/// A handle: `clone` is cheap and shares the connections. They stay open until
/// [`close`](Self::close), or until the runtime ends.
#[derive(Clone)]
pub struct Mongo {
    inner: Arc<MongoInner>,
}

struct MongoInner {
    client: Client,
    database: Database,
    deployment: OnceLock<Deployment>,
    /// The tasks on which operations run. They outlive their callers: a future of the driver must
    /// not be cancelled.
    tasks: TaskTracker,
    /// One permit per unfinished operation.
    permits: Arc<Semaphore>,
    /// The `appName` of the connections.
    app_name: String,
}

impl Mongo {
    /// Opens a handle to the database that the connection string names (`metaia` if it names none).
    /// This contacts no server, so a server may come up later. Only the hosts of a `mongodb+srv://`
    /// name are looked up.
    ///
    /// Unless the connection string says otherwise, an operation waits up to 3 s for a server and
    /// up to 2 s for a connection.
    ///
    /// # Errors
    /// Returns a [`UriError`], which never repeats the connection string.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn open(uri: &str, options: MongoOptions) -> Result<Self, UriError> {
        let parsed = uri::parse(uri, options).await?;
        let app_name = parsed
            .app_name
            .clone()
            .unwrap_or_else(|| DEFAULT_APP_NAME.to_owned());
        let client = Client::with_options(parsed).map_err(|_| UriError::Malformed)?;
        let database = client.default_database().ok_or(UriError::Malformed)?;
        Ok(Self::new(database, app_name))
    }

    /// Returns a handle to the database of your own client. The `app_name` of that client should be
    /// `metaia-realtime`: a node finds the transactions of killed nodes by it, see
    /// [`log`](super::log).
    #[must_use]
    pub fn on(database: Database) -> Self {
        Self::new(database, DEFAULT_APP_NAME.to_owned())
    }

    fn new(database: Database, app_name: String) -> Self {
        let inner = MongoInner {
            client: database.client().clone(),
            database,
            deployment: OnceLock::new(),
            tasks: TaskTracker::new(),
            permits: Arc::new(Semaphore::new(MAX_UNFINISHED)),
            app_name,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(super) fn app_name(&self) -> &str {
        &self.inner.app_name
    }

    /// Returns the database. Never drop a future of the driver before it is done: see
    /// [`within`](Self::within).
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// Returns the client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// Returns the kind of server. The server is asked once; the answer is kept.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if no server answers.
    ///
    /// # Cancel safety
    /// Dropping the future may discard the answer. Call the method again.
    pub async fn deployment(&self) -> Result<Deployment, LogError> {
        self.known_deployment()
            .await
            .map_err(MongoFault::unavailable)
    }

    /// As [`deployment`](Self::deployment), with the error of this module.
    pub(super) async fn known_deployment(&self) -> Result<Deployment, MongoFault> {
        if let Some(known) = self.inner.deployment.get() {
            return Ok(*known);
        }
        let admin = self.inner.client.database("admin");
        let work = async move { admin.run_command(doc! { "hello": 1 }).await };
        let hello = self.run(OPERATION_TIMEOUT, work).await?;
        let deployment = Deployment::from_hello(&hello)?;
        Ok(*self.inner.deployment.get_or_init(|| deployment))
    }

    /// Runs work of the driver on a task and waits for it up to `limit`. Work that takes longer is
    /// not cancelled: it goes on until it ends by itself, so a write may still be done. At most 512
    /// operations are unfinished at a time; one more waits for a free place.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the work fails or takes longer than `limit`.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the work once it has begun.
    pub async fn within<T, F>(&self, limit: Duration, work: F) -> Result<T, LogError>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.run(limit, work).await.map_err(MongoFault::unavailable)
    }

    /// As [`within`](Self::within), with the errors of this module.
    pub(super) async fn run<T, E, F>(&self, limit: Duration, work: F) -> Result<T, MongoFault>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Into<MongoFault> + Send + 'static,
    {
        let finished = tokio::time::timeout(limit, self.run_to_end(work)).await;
        finished.unwrap_or(Err(MongoFault::TimedOut))
    }

    async fn run_to_end<T, E, F>(&self, work: F) -> Result<T, MongoFault>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Into<MongoFault> + Send + 'static,
    {
        let (done, result) = oneshot::channel();
        let work = async move {
            // The caller may have timed out.
            let _ = done.send(work.await);
        };
        self.start(work.boxed()).await?;
        result
            .await
            .map_err(|_| MongoFault::TaskPanicked)?
            .map_err(Into::into)
    }

    /// Starts work on a task when there is a free place. The work is boxed: a task for each type of
    /// work made the crates that use this one slow to compile.
    async fn start(&self, work: BoxFuture<'static, ()>) -> Result<(), MongoFault> {
        let permits = Arc::clone(&self.inner.permits);
        let permit = permits
            .acquire_owned()
            .await
            .map_err(|_| MongoFault::Closed)?;
        self.inner.tasks.spawn(async move {
            work.await;
            // The permit belongs to the work, not to the caller, who may have timed out.
            drop(permit);
        });
        Ok(())
    }

    /// Waits up to 2 s for unfinished operations, then closes the connections. All clones of this
    /// handle are closed with it.
    ///
    /// # Cancel safety
    /// Dropping the future may leave connections open. Call the method again.
    pub async fn close(&self) {
        self.inner.tasks.close();
        let finished = tokio::time::timeout(CLOSE_TIMEOUT, self.inner.tasks.wait()).await;
        if finished.is_err() {
            tracing::debug!(
                operations = self.inner.tasks.len(),
                "MongoDB operations were still unfinished when the handle was closed"
            );
        }
        let client = self.inner.client.clone();
        let shutdown = TaskTracker::new();
        let ended = shutdown.spawn(async move { client.shutdown().immediate(true).await });
        tokio::time::timeout(CLOSE_TIMEOUT, ended).await.ok();
    }
}

impl fmt::Debug for Mongo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mongo")
            .field("database", &self.inner.database.name())
            .finish_non_exhaustive()
    }
}
