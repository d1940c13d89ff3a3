//! The builder of a [`Realtime`].

mod clients;

use std::{future::Future, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Realtime,
    error::BuildError,
    handlers::{EventContext, HandlerError, Handlers},
};
use crate::{
    Authenticator, EventLog, Limits, OrderAccess,
    auth::DynAuthenticator,
    device::DeviceStore,
    doorbell::{ClusterKey, Doorbell},
    log::DynEventLog,
    node::{Node, NodeParts, Revocations, Window},
    presence::Directory,
    revocation::{LogRevocations, MemoryRevocations, RevocationStore, SharedStore},
    transport::{Origins, Settings},
};

/// Builds a [`Realtime`]. Only the [authenticator](Self::authenticator) has no default.
#[must_use]
pub struct RealtimeBuilder {
    authenticator: Option<Arc<dyn DynAuthenticator>>,
    parts: NodeParts,
    device_resume: bool,
    /// `None`: that of the log.
    revocations: Option<SharedStore>,
    /// As they were given. `None`: any.
    allowed_origins: Option<Vec<String>>,
    settings: Settings,
    handlers: Handlers,
}

impl std::fmt::Debug for RealtimeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealtimeBuilder")
            .field("limits", &self.parts.limits)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Realtime {
    /// Returns a builder. Only the authenticator has no default.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// # let _ = realtime;
    /// let builder = Realtime::builder();
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> RealtimeBuilder {
        RealtimeBuilder::new()
    }
}

impl RealtimeBuilder {
    fn new() -> Self {
        Self {
            authenticator: None,
            parts: NodeParts::default(),
            device_resume: true,
            revocations: None,
            allowed_origins: None,
            settings: Settings::default(),
            handlers: Handlers::default(),
        }
    }

    /// Sets the authenticator, which decides who may connect. Required.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Sets the policy on order rooms. Default: only admins may join them.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::{AccessDecision, AccessError, Identity, OrderAccess, OrderId};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// struct Everyone;
    ///
    /// impl OrderAccess for Everyone {
    ///     async fn may_join(
    ///         &self,
    ///         _: &Identity,
    ///         _: &OrderId,
    ///     ) -> Result<AccessDecision, AccessError> {
    ///         Ok(AccessDecision::Allowed)
    ///     }
    /// }
    ///
    /// let builder = Realtime::builder().authenticator(authenticator).order_access(Everyone);
    /// # builder.build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn order_access(mut self, policy: impl OrderAccess) -> Self {
        self.parts.access = Arc::new(policy);
        self
    }

    /// Sets the log that keeps the events. Default: a [`MemoryLog`](crate::MemoryLog).
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::{MemoryLog, log::Retention};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// let log = MemoryLog::new(Retention::MEMORY.entries(100_000));
    /// let realtime = Realtime::builder().authenticator(authenticator).log(log).build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn log(mut self, log: impl EventLog) -> Self {
        self.parts.log = Arc::new(log);
        self
    }

    /// Sets the notifier between the nodes of a cluster. Default: none. Each node then finds the
    /// events of the others by polling its log, and volatile events reach the clients of this node
    /// alone.
    ///
    /// ```
    /// # #[cfg(feature = "redis")] {
    /// use metaia_realtime::{Realtime, doorbell::RedisDoorbell};
    ///
    /// let doorbell = RedisDoorbell::open("redis://127.0.0.1:6379/0")?;
    /// let builder = Realtime::builder().doorbell(doorbell);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn doorbell(mut self, doorbell: impl Doorbell) -> Self {
        self.parts.doorbell = Some(Arc::new(doorbell));
        self
    }

    /// Sets the key that signs doorbell frames. All nodes of a cluster need the same one. Default:
    /// none; frames are then not signed, and anyone with access to the doorbell can forge volatile
    /// events.
    ///
    /// ```
    /// use metaia_realtime::{Realtime, doorbell::ClusterKey};
    ///
    /// let key = ClusterKey::new("at least sixteen bytes, the same on every node")?;
    /// let builder = Realtime::builder().cluster_key(key);
    /// # Ok::<(), metaia_realtime::doorbell::InvalidClusterKey>(())
    /// ```
    pub fn cluster_key(mut self, key: ClusterKey) -> Self {
        self.parts.cluster_key = Some(key);
        self
    }

    /// Sets the store of the positions of clients that send none. Default:
    /// [`MemoryDevices`](crate::device::MemoryDevices).
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[cfg(feature = "sqlite")] use metaia_realtime::SqliteLog;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # #[cfg(feature = "sqlite")] {
    /// # let name = format!("metaia-doc-devices-{}", std::process::id());
    /// # let folder = std::env::temp_dir().join(name);
    /// # std::fs::create_dir_all(&folder)?;
    /// let log = SqliteLog::open(folder.join("events.db")).await?;
    /// // The same database keeps both.
    /// let builder = Realtime::builder()
    ///     .authenticator(authenticator)
    ///     .log(log.clone())
    ///     .device_store(log);
    /// # builder.build().await?.drain(std::time::Duration::ZERO).await;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn device_store(mut self, store: impl DeviceStore) -> Self {
        self.parts.devices = Some(Arc::new(store));
        self
    }

    /// Enables device resume: a client that sends no position continues after the last one stored
    /// for its device or token. Default: `true`.
    ///
    /// ```
    /// let builder = metaia_realtime::Realtime::builder().device_resume(false);
    /// ```
    pub fn device_resume(mut self, on: bool) -> Self {
        self.device_resume = on;
        self
    }

    /// Sets the store of [revocations](crate::revocation). Default: that of the log
    /// ([`EventLog::revocations`]), which a [`SqliteLog`](crate::log::SqliteLog) and a
    /// [`MongoLog`](crate::mongo::MongoLog) have; otherwise a
    /// [`MemoryRevocations`](crate::revocation::MemoryRevocations), which a restart forgets.
    ///
    /// ```
    /// use metaia_realtime::{Realtime, revocation::MemoryRevocations};
    ///
    /// // For tests: two nodes in one process.
    /// let store = MemoryRevocations::shared();
    /// let first = Realtime::builder().revocation_store(store.clone());
    /// let second = Realtime::builder().revocation_store(store);
    /// ```
    pub fn revocation_store(mut self, store: impl RevocationStore) -> Self {
        self.revocations = Some(Arc::new(store));
        self
    }

    /// Sets the directory by which the nodes of a cluster tell each other who is connected to them.
    /// Default: none, this node is alone.
    ///
    /// ```
    /// use metaia_realtime::{Realtime, presence::MemoryDirectory};
    ///
    /// // For tests: two nodes in one process.
    /// let directory = MemoryDirectory::default();
    /// let first = Realtime::builder().directory(directory.clone());
    /// let second = Realtime::builder().directory(directory);
    /// ```
    pub fn directory(mut self, directory: impl Directory) -> Self {
        self.parts.directory = Some(Arc::new(directory));
        self
    }

    /// Sets the node's limits. [`build`](Self::build) validates them.
    ///
    /// ```
    /// # use metaia_realtime::{Limits, Realtime};
    /// let mut limits = Limits::default();
    /// limits.sessions_per_user = 4;
    /// let builder = Realtime::builder().limits(limits);
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.parts.limits = limits;
        self
    }

    /// Adds the handler of a client→server event. It receives the event's first argument as `T` and
    /// who sent it; what it returns is the answer if the client asked for an ack.
    ///
    /// - **Names.** [`build`](Self::build) refuses a name under which no event can arrive (see
    ///   [`HandlerNameError`](crate::handlers::HandlerNameError)), and a name that is given twice.
    /// - **Arguments.** Without an argument, `T` is read from `null`. An argument that is not a
    ///   `T`, and an event with further arguments, are refused with `malformed`, and the handler is
    ///   not called. An event with a binary attachment is refused, too. The connection stays.
    /// - **Order.** The events of a session are handled one at a time and in order; deliveries go
    ///   on meanwhile. A slow handler holds up the later events of its session, and no other
    ///   session.
    /// - **Answers** have no size limit, and clients may have one.
    /// - **The end of a session.** A handler that has begun runs to its end. If the client leaves,
    ///   or its connection breaks, the events that arrived before are handled, too, while a next
    ///   session of the client handles its own. After the server has disconnected the client, and
    ///   after its token has expired, none begins. At most 16 sessions of a user that have ended
    ///   run handlers at a time, and a [`drain`](Realtime::drain) waits for them until its
    ///   deadline: beyond these bounds, handlers are dropped at an `.await`, with a line in the
    ///   log. Do what must not be done by half in one transaction: a process may be killed, too.
    /// - **Panics.** A panic ends the session ([`EndReason::Failed`](crate::EndReason::Failed));
    ///   its client reconnects.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::{EventContext, HandlerError};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// #[derive(serde::Deserialize)]
    /// struct Ping { n: u32 }
    ///
    /// let builder = Realtime::builder().authenticator(authenticator).on(
    ///     "ping",
    ///     |from: EventContext, ping: Ping| async move {
    ///         if ping.n == 0 {
    ///             return Err(HandlerError::new("zero"));
    ///         }
    ///         Ok(format!("{} of {}", ping.n, from.identity.user))
    ///     },
    /// );
    /// # builder.build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on<T, R, F, Fut>(mut self, name: &'static str, handler: F) -> Self
    where
        T: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Fn(EventContext, T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
    {
        self.handlers.add(name, handler);
        self
    }

    /// Validates the settings and starts the node on the current tokio runtime.
    ///
    /// It does not wait for a log that cannot be read: the node starts, and a client that connects
    /// before the log can be read is disconnected after 10 s, and reconnects. While
    /// [revocations](crate::revocation) cannot be read, no client is authenticated.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.local_sessions().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`BuildError`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has been started.
    pub async fn build(mut self) -> Result<Realtime, BuildError> {
        self.settings.origins = Origins::read(self.allowed_origins.take())?;
        self.parts.limits.validate()?;
        self.handlers.validate()?;
        let authenticator = self.authenticator.ok_or(BuildError::NoAuthenticator)?;
        let handlers = Arc::new(self.handlers);
        let mut parts = NodeParts {
            handlers: Arc::clone(&handlers) as _,
            ..self.parts
        };
        parts.devices = parts.devices.filter(|_| self.device_resume);
        let store = self.revocations.unwrap_or_else(|| store_of(&*parts.log));
        parts.revocations = Revocations::of(store);
        let (window, ()) = tokio::join!(Window::from_log(&*parts.log), parts.revocations.begin());
        let realtime = Realtime::start(Node::new(window, authenticator, parts), self.settings);
        handlers.serve(realtime.downgrade());
        Ok(realtime)
    }
}

/// Returns the store of revocations that a log brings, or one in memory.
fn store_of(log: &dyn DynEventLog) -> SharedStore {
    let of_log = log.revocations().map(LogRevocations::into_store);
    of_log.unwrap_or_else(|| Arc::new(MemoryRevocations::default()))
}
