//! The handle to a database.

use std::{
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use mongodb::{
    Client, Database,
    bson::{Document, doc},
    error::Error,
    options::{ReadConcern, WriteConcern},
};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::{Deployment, UriError, fault::Fault, uri};
use crate::log::LogError;

/// How long a read may take before it counts as not answered.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Most operations that are not done.
const UNDERWAY: usize = 512;

/// What the server knows the connections by, unless the connection string says otherwise.
pub(super) const APP: &str = "metaia-realtime";

/// How long the last operations may take when a handle is closed.
const LAST: Duration = Duration::from_secs(2);

/// What an operator may choose beside the connection string.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Options {
    pub(super) pool: Option<u32>,
}

impl Options {
    /// At most so many connections to each server at once, whatever the connection string says.
    /// Default: 32.
    #[must_use]
    pub const fn pool(mut self, connections: u32) -> Self {
        self.pool = Some(connections);
        self
    }
}

/// A client and one of its databases.
///
/// A handle: `clone` is cheap and shares the connections, which stay until [`close`](Self::close)
/// or until the runtime ends.
#[derive(Clone)]
pub struct Mongo {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    database: Database,
    deployment: OnceLock<Deployment>,
    /// Operations outlive whoever waits for them: the driver does not bear being cancelled.
    tasks: TaskTracker,
    /// Held by those that are not done.
    permits: Arc<Semaphore>,
    /// What the server knows the connections by.
    app: String,
}

impl Mongo {
    /// A handle to the database that the connection string names (`metaia` where it names none). No
    /// server is asked: it may come later. Only a `mongodb+srv://` name is looked up.
    ///
    /// Unless the connection string says otherwise, a server is waited for 3 s, and a connection 2
    /// s.
    ///
    /// # Errors
    /// See [`UriError`], which never repeats what was given.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn open(uri: &str, options: Options) -> Result<Self, UriError> {
        let parsed = uri::parse(uri, options).await?;
        let app = parsed.app_name.clone().unwrap_or_else(|| APP.to_owned());
        let client = Client::with_options(parsed).map_err(|_| UriError::Malformed)?;
        let database = client.default_database().ok_or(UriError::Malformed)?;
        Ok(Self::called(database, app))
    }

    /// A handle to the database of a client of your own. Its `app_name` should be
    /// `metaia-realtime`: transactions of nodes that were killed are known by it, see
    /// [`log`](super::log).
    #[must_use]
    pub fn on(database: Database) -> Self {
        Self::called(database, APP.to_owned())
    }

    fn called(database: Database, app: String) -> Self {
        let client = database.client().clone();
        let (deployment, tasks, permits) = (
            OnceLock::new(),
            TaskTracker::new(),
            Arc::new(Semaphore::new(UNDERWAY)),
        );
        Self {
            inner: Arc::new(Inner {
                client,
                database,
                deployment,
                tasks,
                permits,
                app,
            }),
        }
    }

    pub(super) fn app(&self) -> &str {
        &self.inner.app
    }

    /// The database. Never drop a future of the driver before it is done: see
    /// [`within`](Self::within).
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// What kind of server answers. Asked once, and remembered.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped, nothing may be remembered: call it again.
    pub async fn deployment(&self) -> Result<Deployment, LogError> {
        self.deployed().await.map_err(Fault::unavailable)
    }

    pub(super) async fn deployed(&self) -> Result<Deployment, Fault> {
        if let Some(known) = self.inner.deployment.get() {
            return Ok(*known);
        }
        let admin = self.inner.client.database("admin");
        let hello = self
            .run(PATIENCE, async move {
                admin.run_command(doc! { "hello": 1 }).await
            })
            .await?;
        let deployment = of_hello(&hello)?;
        Ok(*self.inner.deployment.get_or_init(|| deployment))
    }

    /// Does something with the driver, and waits for it so long. What takes longer is not cancelled
    /// but left to end by itself: a write may be done all the same. Of those there are 512 at the
    /// most; one more waits for them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], also where it took too long.
    ///
    /// # Cancel safety
    /// Dropped, the work goes on.
    pub async fn within<T, F>(&self, limit: Duration, work: F) -> Result<T, LogError>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.run(limit, work).await.map_err(Fault::unavailable)
    }

    /// As [`within`](Self::within).
    pub(super) async fn run<T, E, F>(&self, limit: Duration, work: F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Into<Fault> + Send + 'static,
    {
        let done = async {
            let permit = Arc::clone(&self.inner.permits)
                .acquire_owned()
                .await
                .map_err(|_| Fault::Closed)?;
            let work = async move {
                let done = work.await;
                drop(permit);
                done
            };
            self.inner
                .tasks
                .spawn(work)
                .await
                .map_err(|_| Fault::Ended)?
                .map_err(Into::into)
        };
        tokio::time::timeout(limit, done)
            .await
            .unwrap_or(Err(Fault::Late))
    }

    /// What readers ask for, so that they never see what may be rolled back.
    pub(super) fn reading(deployment: Deployment) -> ReadConcern {
        match deployment {
            Deployment::ReplicaSet => ReadConcern::majority(),
            Deployment::Standalone => ReadConcern::local(),
        }
    }

    /// What writers wait for.
    pub(super) fn writing(deployment: Deployment) -> WriteConcern {
        let mut concern = match deployment {
            Deployment::ReplicaSet => WriteConcern::majority(),
            Deployment::Standalone => WriteConcern::nodes(1),
        };
        concern.journal = Some(true);
        // So that no operation waits on the server for ever.
        concern.w_timeout = Some(PATIENCE * 2);
        concern
    }

    /// Waits for what is under way, but not long, and closes the connections. All other handles end
    /// with this one.
    ///
    /// # Cancel safety
    /// Dropped, connections may stay open: call it again.
    pub async fn close(&self) {
        self.inner.tasks.close();
        if tokio::time::timeout(LAST, self.inner.tasks.wait())
            .await
            .is_err()
        {
            tracing::debug!(
                operations = self.inner.tasks.len(),
                "the database has not answered to the end"
            );
        }
        let client = self.inner.client.clone();
        let shutdown = TaskTracker::new();
        let ended = shutdown.spawn(async move { client.shutdown().immediate(true).await });
        tokio::time::timeout(LAST, ended).await.ok();
    }
}

impl fmt::Debug for Mongo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mongo")
            .field("database", &self.inner.database.name())
            .finish_non_exhaustive()
    }
}

/// A router of a sharded cluster has transactions, too. A member of a replica set that has not
/// begun yet is neither.
fn of_hello(hello: &Document) -> Result<Deployment, Fault> {
    if hello.get_bool("isreplicaset").unwrap_or(false) {
        return Err(Fault::NotReady);
    }
    let replicated =
        hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|it| it == "isdbgrid");
    Ok(if replicated {
        Deployment::ReplicaSet
    } else {
        Deployment::Standalone
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kind_of_server_answers() {
        let check = |hello: Document, expected: Option<Deployment>| {
            assert_eq!(of_hello(&hello).ok(), expected)
        };
        check(doc! { "setName": "rs" }, Some(Deployment::ReplicaSet));
        check(doc! { "msg": "isdbgrid" }, Some(Deployment::ReplicaSet));
        check(
            doc! { "isWritablePrimary": true },
            Some(Deployment::Standalone),
        );
        check(
            doc! { "isWritablePrimary": false, "isreplicaset": true },
            None,
        );
    }
}
