//! The Socket.IO engine of a node.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    engine_service::{EngineService, InnerService},
    handshake::OpeningHandshake,
    link::{Link, PollingSession},
    links::Links,
};
use crate::{node::Node, rate::Rate, transport::Settings};

/// The Socket.IO engine of a node. A node has one, however many listeners it is mounted on.
pub(crate) struct Engine {
    pub(super) node: Arc<Node>,
    pub(super) links: Arc<Links>,
    pub(super) service: Arc<EngineService>,
    pub(super) settings: Settings,
    /// The rate of the node: the layers share it.
    handshake_rate: Rate,
}

impl Engine {
    pub(super) fn new(node: Arc<Node>, settings: Settings, service: InnerService) -> Self {
        let links = Arc::new(Links::new(node.limits().unauthenticated));
        let service = Arc::new(EngineService::new(service, node.tasks().clone()));
        let per_s = node.limits().handshakes_per_s;
        Self {
            node,
            links,
            service,
            settings,
            handshake_rate: Rate::new(per_s, per_s),
        }
    }

    pub(crate) const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Returns the number of links that began with polling.
    pub(crate) fn links(&self) -> usize {
        self.links.len()
    }

    /// Takes a handshake of the node's rate. Returns false if the rate is used up.
    pub(super) fn takes_handshake(&self) -> bool {
        self.handshake_rate.take()
    }

    /// Adds the link of a polling session that the engine has just opened as `sid`, with its
    /// handshake.
    pub(super) fn open_link(&self, sid: &str, opened_at: Instant, handshake: OpeningHandshake) {
        let session = PollingSession::new(Arc::downgrade(&self.service), sid);
        let mut link = Link::new(self.node.limits(), session, handshake);
        link.opened_at = opened_at;
        self.links.insert(sid, Arc::new(link));
    }

    /// Drops the engine's service. Requests are answered 503 from now on.
    pub(crate) fn stop(&self) {
        self.service.stop();
    }
}
