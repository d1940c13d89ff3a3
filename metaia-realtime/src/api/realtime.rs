//! The handle that an embedder holds.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use crate::{
    EndReason, Limits, NewEntry, NodeStats, PublishError, UserId, doorbell,
    log::DynEventLog,
    node::{self, Counters, Node},
    presence::{RefusalView, RefusedRequest},
    transport::{
        RealtimeLayer, Settings,
        socketio::{self, Engine},
    },
    values::{NodeId, Position, SessionId},
};

/// The realtime system of one node.
///
/// A handle: `clone` is cheap and shares one system, which runs until [`drain`](Self::drain) or
/// until the runtime ends; dropping handles ends nothing.
#[derive(Clone)]
pub struct Realtime {
    engine: Arc<Engine>,
}

/// A [`Realtime`] that keeps nothing alive.
pub(super) struct WeakRealtime(Weak<Engine>);

impl WeakRealtime {
    pub(super) fn upgrade(&self) -> Option<Realtime> {
        self.0.upgrade().map(|engine| Realtime { engine })
    }
}

impl Realtime {
    /// Starts `node` and its transport.
    pub(super) fn start(node: Node, settings: Settings) -> Self {
        let node = Arc::new(node);
        node.run();
        Self {
            engine: socketio::start(node, settings),
        }
    }

    pub(super) fn downgrade(&self) -> WeakRealtime {
        WeakRealtime(Arc::downgrade(&self.engine))
    }

    /// Returns the tower layer that serves Socket.IO under `/socket.io/` and passes all other
    /// requests on.
    ///
    /// - **Order.** A layer that you add after it is outside of it, and sees the requests of
    ///   Socket.IO. This layer sends CORS headers of its own. It answers 403 to an origin that
    ///   [`allowed_origins`](crate::RealtimeBuilder::allowed_origins) does not name, whatever a
    ///   CORS layer of yours allows.
    /// - **Path.** For another path, nest the service that the layer makes, as in the second
    ///   example; its clients set `path` to `/v1/rt/socket.io/`. A router that *has* the layer and
    ///   is nested with `Router::nest` answers 404, since axum does not pass it the paths that it
    ///   has no route for.
    /// - **Several layers.** Every layer of a handle leads to the same system, and the
    ///   [`Limits`] are those of the node: [`Limits::handshakes_per_s`] counts the handshakes of
    ///   all layers.
    /// - **Shutdown.** It does not drain: call [`drain`](Self::drain) before your server stops.
    /// - **Listener.** On a listener that is neither [`serve`](fn@crate::serve) nor a
    ///   [`GuardedListener`](crate::serve::GuardedListener), these protections are off: credit and
    ///   [`Limits::write_stall`] (a client that does not read is ended when its queue is full, if
    ///   at all), closing a WebSocket at a disconnect, the bound on bytes that come over a
    ///   WebSocket, and [`Limits::connections`].
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// # #[cfg(feature = "axum")] {
    /// use axum::Router;
    ///
    /// let app: Router = Router::new().layer(realtime.layer());
    ///
    /// // Under a prefix:
    /// use tower_layer::Layer as _;
    /// let service = realtime.layer().layer(Router::new());
    /// let app: Router = Router::new().nest_service("/v1/rt", service);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn layer(&self) -> RealtimeLayer {
        RealtimeLayer::new(Arc::clone(&self.engine))
    }

    /// Returns the counters of doorbell frames since the node's start.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.doorbell_counts().received, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn doorbell_counts(&self) -> doorbell::Counts {
        self.node().doorbell().counts()
    }

    /// Returns whether the doorbell is connected; `false` without a doorbell.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert!(!realtime.doorbell_connected());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn doorbell_connected(&self) -> bool {
        self.node().doorbell().is_connected()
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        self.engine.node()
    }

    #[cfg(all(test, feature = "testing"))]
    pub(crate) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn log(&self) -> &dyn DynEventLog {
        self.node().log()
    }

    /// Returns the id by which other nodes know this one. Every
    /// [`RealtimeBuilder::build`](crate::RealtimeBuilder::build) makes a
    /// new one.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.node_id(), realtime.node_view().id);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.node().id()
    }

    /// Returns the position up to which this node has dispatched the log; `None` if it has not yet
    /// read it. Give it to a client together with records that you read afterwards: if the client
    /// connects with it as `auth.since`, it receives every event that the records may lack.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let position = realtime.position();
    /// // Read the records here.
    /// assert!(position.is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let window = self.node().window();
        window.has_read_log().then(|| window.dispatched())
    }

    /// Returns the limits in force.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.limits().rooms_per_session, 128);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.node().limits()
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        self.node().counters()
    }

    /// Returns what this node has done since it began, and its state now. The counts are of this
    /// node alone, and start at 0 with every [`build`](crate::RealtimeBuilder::build).
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.stats().appended, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        NodeStats::from_node(self.node())
    }

    /// Returns why clients did not connect to this node of late: of its last 1,000 refusals, those
    /// that occurred at `since` (ms since the Unix epoch) or later, newest first. At most 250 of
    /// the 1,000 are of requests (see [`list_refused_request`](Self::list_refused_request)). The
    /// list is of this node alone, and begins empty with every
    /// [`build`](crate::RealtimeBuilder::build).
    ///
    /// Refused joins and events are not in it: they are answered to a client that has connected.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// for refusal in realtime.refusals(0) {
    ///     println!("{} × {} {:?}", refusal.count, refusal.code, refusal.user_agent);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn refusals(&self, since: i64) -> Vec<RefusalView> {
        self.node().refusals(since)
    }

    /// Lists a request that the embedder's own interface refused for its credentials, among the
    /// [`refusals`](Self::refusals), with the transport `rest`. The last 250 of them are kept,
    /// whatever else is refused; and whatever number there is, the last 750 refused connections.
    /// Equal ones of which each comes less than a second after the one before take one place.
    ///
    /// It neither waits nor logs, and holds a lock for a search among 250 numbers.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime, presence::RefusedRequest};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.list_refused_request(RefusedRequest {
    ///     code: "token_expired",
    ///     user_agent: Some(b"Dart/3.1 (dart:io)"),
    ///     ..RefusedRequest::default()
    /// });
    /// assert_eq!(realtime.refusals(0)[0].transport, Some("rest"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_refused_request(&self, request: RefusedRequest<'_>) {
        self.node().list_refused_request(request);
    }

    /// Returns what this node holds for its clients now, for tests that nothing is left behind.
    #[doc(hidden)]
    #[must_use]
    pub fn census(&self) -> Census {
        let registry = self.node().registry();
        let sessions = registry.all();
        let (rooms, users, joins) = registry.sizes();
        Census {
            sessions: sessions.len(),
            rooms,
            users,
            joins,
            links: self.engine.links(),
            devices: self.node().devices().len(),
            most_waiting: sessions
                .iter()
                .map(|session| session.waiting())
                .max()
                .unwrap_or(0),
        }
    }

    /// Ends all sessions of a user that have begun by now: those of this node at once, those of
    /// other nodes when they reach this entry of the log. Official clients do not reconnect by
    /// themselves after it. No handler begins for them any more; those that have begun run to their
    /// end.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.disconnect_user(&"c1".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`]: the other nodes were not told, or may not have been.
    ///
    /// # Cancel safety
    /// If the future is dropped, the other nodes may or may not be told.
    pub async fn disconnect_user(&self, user: &UserId) -> Result<(), PublishError> {
        let node = self.node();
        for session in node.registry().of_user(user) {
            node.end(&session, EndReason::Kicked);
        }
        node.finishing().stop_user(user);
        self.publish(vec![NewEntry::disconnect_user(user.clone())])
            .await
            .map(drop)
    }

    /// Ends a session, on whichever node it is: see [`disconnect_user`](Self::disconnect_user). A
    /// session that does not exist is no error.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// for session in realtime.local_sessions() {
    ///     realtime.disconnect_session(session.id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`]: the other nodes were not told, or may not have been.
    ///
    /// # Cancel safety
    /// If the future is dropped, the other nodes may or may not be told.
    pub async fn disconnect_session(&self, id: SessionId) -> Result<(), PublishError> {
        let node = self.node();
        if let Some(session) = node.registry().session(id) {
            node.end(&session, EndReason::Kicked);
        }
        node.finishing().stop_session(id);
        self.publish(vec![NewEntry::disconnect_session(id)])
            .await
            .map(drop)
    }

    /// Drains this node, which admits no session again: new handshakes receive 503, clients
    /// are told `rt:drain`, what was handed to them is written, and their transports are closed in
    /// batches, so that official clients reconnect elsewhere by themselves.
    ///
    /// Handlers that have begun run to their end. Sessions and handlers that have not ended by
    /// `deadline` are ended at once. The positions of devices are saved after that in any case (at
    /// most 1.5 s), and the tasks of the node end (at most 1 s).
    ///
    /// Do not await this in a handler of an event: the drain waits for the handler, and the handler
    /// for the drain, until `deadline`; then the handler is dropped. Start the drain in a task of
    /// its own instead.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.drain(std::time::Duration::from_secs(9)).await;
    /// assert!(realtime.local_sessions().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future leaves the node draining; call it again to finish.
    pub async fn drain(&self, deadline: Duration) {
        node::drain(self.node(), deadline).await;
        self.engine.stop();
    }
}

impl std::fmt::Debug for Realtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realtime")
            .field("sessions", &self.node().registry().len())
            .finish_non_exhaustive()
    }
}

/// The sizes of a node's tables: see [`Realtime::census`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Sessions.
    pub sessions: usize,
    /// Rooms with sessions in them.
    pub rooms: usize,
    /// Users with sessions.
    pub users: usize,
    /// Orders whose joins are being decided.
    pub joins: usize,
    /// Clients whose connection began with polling.
    pub links: usize,
    /// Clients whose positions are in memory.
    pub devices: usize,
    /// The largest number of packets that wait for one client.
    pub most_waiting: usize,
}
