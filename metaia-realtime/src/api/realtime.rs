//! The handle that embedders hold.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::RealtimeBuilder;
use crate::{
    EndReason, Limits, NewEntry, NodeStats, PublishError, SessionId, UserId, doorbell,
    log::DynEventLog,
    node::{self, Counters, Node},
    transport::{RealtimeLayer, Settings, socketio::Engine},
    values::NodeId,
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
    /// Returns a builder. Only the authenticator has no default.
    pub fn builder() -> RealtimeBuilder {
        RealtimeBuilder::new()
    }

    /// Starts `node` and its transport.
    pub(super) fn start(node: Node, settings: Settings) -> Self {
        let node = Arc::new(node);
        node.run();
        Self {
            engine: Engine::new(node, settings),
        }
    }

    pub(super) fn downgrade(&self) -> WeakRealtime {
        WeakRealtime(Arc::downgrade(&self.engine))
    }

    /// The tower layer that serves Socket.IO under `/socket.io/`; all other requests go on. Every
    /// layer of a handle leads to the same system.
    ///
    /// Mounted on a listener that is not [`GuardedListener`](crate::serve::GuardedListener) or
    /// [`serve`](crate::serve()), it cannot see what is written: a client that does not read is
    /// then ended when its queue is full, if at all, a kick leaves the connection open, and nothing
    /// bounds the bytes that come over a WebSocket, nor the connections.
    #[must_use]
    pub fn layer(&self) -> RealtimeLayer {
        self.engine.layer()
    }

    /// What went by the doorbell since this node began.
    #[must_use]
    pub fn doorbell_counts(&self) -> doorbell::Counts {
        self.node().doorbell().counts()
    }

    /// Whether the doorbell's line is there. `false` without a doorbell.
    #[must_use]
    pub fn doorbell_connected(&self) -> bool {
        self.node().doorbell().is_connected()
    }

    pub(crate) fn node(&self) -> &Node {
        self.engine.node()
    }

    pub(crate) fn log(&self) -> &dyn DynEventLog {
        self.node().log()
    }

    /// What other nodes know this one by. Every [`RealtimeBuilder::build`] makes a new one.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.node().id()
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.node().limits()
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        self.node().counters()
    }

    /// What this node has done since it began, and how it stands.
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        NodeStats::from_node(self.node())
    }

    /// What this node holds for its clients at the moment, for tests that nothing is left behind.
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
    /// others when they come to it in the log. Official clients stay away after it.
    ///
    /// # Errors
    /// Where the others were not told, or may not have been: see [`PublishError`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether the others are told.
    pub async fn disconnect_user(&self, user: &UserId) -> Result<(), PublishError> {
        let node = self.node();
        node.registry()
            .of_user(user)
            .iter()
            .for_each(|session| node.end(session, EndReason::Kicked));
        self.publish(vec![NewEntry::disconnect_user(user.clone())])
            .await
            .map(drop)
    }

    /// Ends a session, on whichever node it is: see [`disconnect_user`](Self::disconnect_user). One
    /// that is nowhere is no error.
    ///
    /// # Errors
    /// Where the others were not told, or may not have been: see [`PublishError`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether the others are told.
    pub async fn disconnect_session(&self, id: SessionId) -> Result<(), PublishError> {
        let node = self.node();
        node.registry()
            .session(id)
            .iter()
            .for_each(|session| node.end(session, EndReason::Kicked));
        self.publish(vec![NewEntry::disconnect_session(id)])
            .await
            .map(drop)
    }

    /// Empties this node for good: new handshakes are answered 503, clients are told `rt:drain`,
    /// what was handed to them is written, and their transports are closed in batches, after which
    /// official clients connect again by themselves. Returns when the last session has ended and
    /// the node's tasks with it, or soon after `deadline`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the node draining; call again to finish.
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

/// See [`Realtime::census`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Sessions.
    pub sessions: usize,
    /// Rooms with somebody in them.
    pub rooms: usize,
    /// Users with sessions.
    pub users: usize,
    /// Orders whose joins are being decided.
    pub joins: usize,
    /// Clients that began with polling.
    pub links: usize,
    /// Clients whose positions are kept in mind.
    pub devices: usize,
    /// The most packets that wait for one client.
    pub most_waiting: usize,
}
