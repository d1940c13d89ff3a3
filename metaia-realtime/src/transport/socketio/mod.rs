//! The transport over socketioxide: polling, WebSocket, and the upgrade from one to the other.
//!
//! Everything that comes for a client, acks included, is written by its session's one task, so that
//! the order is the session's. The engine's queue of a connection (1,024 packets) is larger than
//! the credit window and what comes beside it: were it ever full, the session would be ended, since
//! an event that does not fit would be lost.

mod body;
mod connect;
mod credentials;
mod link;
mod port;
mod post;
mod read_budget;
mod receive;
mod refusal;
mod request;
mod service;
#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use engineioxide::service::NotFoundService;
use socketioxide::{ParserConfig, SocketIo, TransportType, service::SocketIoService};

pub(crate) use link::Link;
#[cfg(feature = "axum")]
pub(crate) use refusal::too_many_connections;
pub use service::{RealtimeLayer, RealtimeService};

use crate::{
    limits::{Limits, TRANSPORT_QUEUE},
    node::Node,
    transport::{Settings, Transports},
};
use link::Links;

/// The path of every Engine.IO request.
const PATH: &str = "/socket.io";

type Service = SocketIoService<NotFoundService>;

/// The engine of a node: one, whatever listeners it is mounted on.
pub(crate) struct Engine {
    node: Arc<Node>,
    links: Arc<Links>,
    /// The engine's own service: requests go in here, and so do the closings of polling sessions.
    /// Taken out when the node stops, since the service owns the handlers, which own the engine.
    service: Mutex<Option<Service>>,
    settings: Settings,
}

impl Engine {
    pub(crate) fn new(node: Arc<Node>, settings: Settings) -> Arc<Self> {
        let (service, io) = build(node.limits(), settings.transports);
        let links = Arc::new(Links::new(node.limits().unauthenticated));
        let engine = Arc::new(Self {
            node,
            links,
            service: Mutex::new(Some(service)),
            settings,
        });
        connect::register(&engine, &io);
        engine
    }

    /// The node that it serves.
    pub(crate) const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// What requests pass on their way to this engine.
    pub(crate) fn layer(self: &Arc<Self>) -> RealtimeLayer {
        RealtimeLayer::new(Arc::clone(self))
    }

    /// The engine has answered a polling handshake with this `sid`.
    fn open_link(self: &Arc<Self>, sid: &str) {
        let link = Link::of_polling(self, sid, self.node.limits());
        self.links.open(sid, Arc::new(link));
    }

    fn service(&self) -> Option<Service> {
        self.service
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many polling links it knows.
    pub(crate) fn links(&self) -> usize {
        self.links.len()
    }

    /// Lets go of the engine. Requests are answered 503 from here on.
    pub(crate) fn stop(&self) {
        self.service
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

fn build(limits: &Limits, transports: Transports) -> (Service, SocketIo) {
    let builder = SocketIo::builder()
        .req_path(PATH)
        .ping_interval(limits.ping_interval)
        .ping_timeout(limits.ping_timeout)
        .connect_timeout(limits.unauthenticated)
        .max_buffer_size(TRANSPORT_QUEUE)
        .max_payload(limits.message_bytes as u64)
        .ws_max_message_size(limits.message_bytes)
        .ws_max_frame_size(limits.message_bytes)
        .with_parser(
            ParserConfig::common()
                .max_incoming_binaries(0)
                .max_incoming_binary_buf_size(0),
        );
    match transports {
        Transports::All => builder.transports([TransportType::Polling, TransportType::Websocket]),
        Transports::WebSocketOnly => builder.transports([TransportType::Websocket]),
    }
    .build_svc()
}
