//! Putting a [`Realtime`] together.

use std::{collections::BTreeSet, future::Future, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Authenticator, EventLog, HandlerError, InvalidLimit, Limits, MemoryLog, OrderAccess, Realtime, Received,
    access::{AdminsOnly, DynOrderAccess},
    api::handlers::Handlers,
    auth::DynAuthenticator,
    device::{DeviceStore, DynDeviceStore, MemoryDevices},
    doorbell::{ClusterKey, Doorbell, DynDoorbell},
    log::DynEventLog,
    presence::{Directory, DynDirectory},
};

/// Which origins browsers may connect from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    These(BTreeSet<String>),
}

/// Which transports clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transports {
    /// Polling, WebSocket, and the upgrade from one to the other: what official clients do by default.
    All,
    /// Only WebSocket: for clusters without sticky sessions.
    WebSocketOnly,
}

/// Builds a [`Realtime`]. Only the authenticator has no default.
#[must_use]
pub struct Builder {
    pub(crate) authenticator: Option<Arc<dyn DynAuthenticator>>,
    pub(crate) access: Arc<dyn DynOrderAccess>,
    pub(crate) log: Arc<dyn DynEventLog>,
    pub(crate) doorbell: Option<Arc<dyn DynDoorbell>>,
    pub(crate) cluster_key: Option<ClusterKey>,
    pub(crate) devices: Option<Arc<dyn DynDeviceStore>>,
    pub(crate) device_resume: bool,
    pub(crate) directory: Option<Arc<dyn DynDirectory>>,
    pub(crate) origins: Origins,
    pub(crate) limits: Limits,
    pub(crate) transports: Transports,
    pub(crate) token_in_query: bool,
    pub(crate) handlers: Handlers,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("origins", &self.origins)
            .field("limits", &self.limits)
            .field("transports", &self.transports)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            authenticator: None,
            access: Arc::new(AdminsOnly),
            log: Arc::new(MemoryLog::default()),
            doorbell: None,
            cluster_key: None,
            devices: Some(Arc::new(MemoryDevices::default())),
            device_resume: true,
            directory: None,
            origins: Origins::Any,
            limits: Limits::default(),
            transports: Transports::All,
            token_in_query: false,
            handlers: Handlers::default(),
        }
    }

    /// Who may connect. Required.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Who may follow which order. Default: admins only.
    pub fn order_access(mut self, policy: impl OrderAccess) -> Self {
        self.access = Arc::new(policy);
        self
    }

    /// Where events are kept. Default: a [`MemoryLog`].
    pub fn log(mut self, log: impl EventLog) -> Self {
        self.log = Arc::new(log);
        self
    }

    /// How this node and others tell each other that there is something new. Default: they do not, and look now and then.
    pub fn doorbell(mut self, doorbell: impl Doorbell) -> Self {
        self.doorbell = Some(Arc::new(doorbell));
        self
    }

    /// What all nodes sign with what they send by the doorbell. Default: nothing is signed, and what is heard is believed
    /// to be other nodes'.
    pub fn cluster_key(mut self, key: ClusterKey) -> Self {
        self.cluster_key = Some(key);
        self
    }

    /// Where it is kept how far clients have got that show no position themselves. Default: [`MemoryDevices`].
    pub fn device_store(mut self, store: impl DeviceStore) -> Self {
        self.devices = Some(Arc::new(store));
        self
    }

    /// Whether a client that shows no position goes on where its device, or its token, last was. Default: yes.
    pub fn device_resume(mut self, on: bool) -> Self {
        self.device_resume = on;
        self
    }

    /// Where the nodes of a cluster tell each other who is connected to them. Default: nowhere, this node is alone.
    pub fn directory(mut self, directory: impl Directory) -> Self {
        self.directory = Some(Arc::new(directory));
        self
    }

    /// The origins (`scheme://host[:port]`) that browsers may connect from. Default: any. Apps outside browsers send
    /// no `Origin` and are not concerned.
    pub fn allowed_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.origins = Origins::These(origins.into_iter().map(Into::into).collect());
        self
    }

    /// What clients may ask of this node.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Which transports clients may use. Default: all.
    pub fn transports(mut self, transports: Transports) -> Self {
        self.transports = transports;
        self
    }

    /// Whether a token may also come as `?token=` of the handshake. Default: no, since addresses end up in logs.
    pub fn token_in_query(mut self, allowed: bool) -> Self {
        self.token_in_query = allowed;
        self
    }

    /// Handles a client→server event: its first argument as `T`, who sent it, and what is answered where the client asks
    /// for an ack. The events of a session are handled one at a time and in order; deliveries go on meanwhile.
    ///
    /// The handler is dropped where the session ends before it is done.
    pub fn on<T, R, F, Fut>(mut self, name: &'static str, handler: F) -> Self
    where
        T: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Fn(Received, T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
    {
        self.handlers.add(name, handler);
        self
    }

    /// Starts it, on the current tokio runtime. A log that cannot be read is not waited for: who connects before it can be
    /// read waits 10 s, and then comes back.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn build(self) -> Result<Realtime, BuildError> {
        self.limits.validate()?;
        Realtime::start(self).await
    }
}

/// Why a [`Realtime`] could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`Builder::authenticator`] was not called.
    #[error("no authenticator was given")]
    NoAuthenticator,
    /// A limit that cannot be.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
}
