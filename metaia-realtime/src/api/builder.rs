//! Putting a [`Realtime`] together.

use std::{future::Future, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Realtime,
    handlers::{EventContext, HandlerError, Handlers},
};
use crate::{
    Authenticator, EventLog, Limits, OrderAccess,
    auth::DynAuthenticator,
    device::DeviceStore,
    doorbell::{ClusterKey, Doorbell},
    limits::InvalidLimit,
    node::{Node, NodeParts, Window},
    presence::Directory,
    transport::{Origins, Settings, Transports},
};

/// Builds a [`Realtime`]. Only the authenticator has no default.
#[must_use]
pub struct RealtimeBuilder {
    authenticator: Option<Arc<dyn DynAuthenticator>>,
    parts: NodeParts,
    device_resume: bool,
    settings: Settings,
    handlers: Handlers,
}

impl std::fmt::Debug for RealtimeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("limits", &self.parts.limits)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl RealtimeBuilder {
    pub(super) fn new() -> Self {
        Self {
            authenticator: None,
            parts: NodeParts::default(),
            device_resume: true,
            settings: Settings::default(),
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
        self.parts.access = Arc::new(policy);
        self
    }

    /// Where events are kept. Default: a [`MemoryLog`](crate::MemoryLog).
    pub fn log(mut self, log: impl EventLog) -> Self {
        self.parts.log = Arc::new(log);
        self
    }

    /// How this node and others tell each other that there is something new. Default: they do not,
    /// and look now and then.
    pub fn doorbell(mut self, doorbell: impl Doorbell) -> Self {
        self.parts.doorbell = Some(Arc::new(doorbell));
        self
    }

    /// What all nodes sign with what they send by the doorbell. Default: nothing is signed, and
    /// what is heard is believed to be other nodes'.
    pub fn cluster_key(mut self, key: ClusterKey) -> Self {
        self.parts.cluster_key = Some(key);
        self
    }

    /// Where it is kept how far clients have got that show no position themselves. Default:
    /// [`MemoryDevices`](crate::device::MemoryDevices).
    pub fn device_store(mut self, store: impl DeviceStore) -> Self {
        self.parts.devices = Some(Arc::new(store));
        self
    }

    /// Whether a client that shows no position goes on where its device, or its token, last was.
    /// Default: yes.
    pub fn device_resume(mut self, on: bool) -> Self {
        self.device_resume = on;
        self
    }

    /// Where the nodes of a cluster tell each other who is connected to them. Default: nowhere,
    /// this node is alone.
    pub fn directory(mut self, directory: impl Directory) -> Self {
        self.parts.directory = Some(Arc::new(directory));
        self
    }

    /// The origins (`scheme://host[:port]`) that browsers may connect from. Default: any. Apps
    /// outside browsers send no `Origin` and are not concerned.
    pub fn allowed_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.origins = Origins::These(origins.into_iter().map(Into::into).collect());
        self
    }

    /// What clients may ask of this node.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.parts.limits = limits;
        self
    }

    /// Which transports clients may use. Default: all.
    pub fn transports(mut self, transports: Transports) -> Self {
        self.settings.transports = transports;
        self
    }

    /// Whether a token may also come as `?token=` of the handshake. Default: no, since addresses
    /// end up in logs.
    pub fn token_in_query(mut self, allowed: bool) -> Self {
        self.settings.token_in_query = allowed;
        self
    }

    /// Handles a client→server event: its first argument as `T`, who sent it, and what is answered
    /// where the client asks for an ack. The events of a session are handled one at a time and in
    /// order; deliveries go on meanwhile.
    ///
    /// The handler is dropped where the session ends before it is done.
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

    /// Starts it, on the current tokio runtime. A log that cannot be read is not waited for: who
    /// connects before it can be read waits 10 s, and then comes back.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn build(self) -> Result<Realtime, BuildError> {
        self.parts.limits.validate()?;
        let authenticator = self.authenticator.ok_or(BuildError::NoAuthenticator)?;
        let handlers = Arc::new(self.handlers);
        let mut parts = NodeParts {
            handlers: Arc::clone(&handlers) as _,
            ..self.parts
        };
        parts.devices = parts.devices.filter(|_| self.device_resume);
        let window = Window::from_log(&*parts.log).await;
        let realtime = Realtime::start(Node::new(window, authenticator, parts), self.settings);
        handlers.serve(realtime.downgrade());
        Ok(realtime)
    }
}

/// Why a [`Realtime`] could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`RealtimeBuilder::authenticator`] was not called.
    #[error("no authenticator was given")]
    NoAuthenticator,
    /// A limit that cannot be.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
}
