//! The purpose of a request to the engine, and the connection that it came over.

use std::{net::IpAddr, sync::Arc};

use http::{Method, Request, StatusCode};

use super::{
    body::{PollObserver, ResponseObserver},
    engine::Engine,
    link::Link,
    query::query_parameter,
};
use crate::transport::guard::Connection;

/// Returns the guarded connection that a request came over, whichever listener accepted it.
pub(super) fn connection_of<B>(request: &Request<B>) -> Option<&Connection> {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) = request
        .extensions()
        .get::<axum::extract::ConnectInfo<crate::transport::guard::PeerAddr>>()
    {
        return Some(&peer.0);
    }
    request.extensions().get::<Connection>()
}

/// Returns the address of the peer that a request came from, if the server tells it.
pub(super) fn peer_of<B>(request: &Request<B>) -> Option<IpAddr> {
    if let Some(connection) = connection_of(request) {
        return Some(connection.peer().ip());
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) = request
        .extensions()
        .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
    {
        return Some(peer.ip());
    }
    None
}

/// The purpose of a request to the engine.
pub(super) enum RequestKind {
    /// The handshake of a new polling session.
    OpenPolling,
    Poll(Arc<Link>),
    Post(Arc<Link>),
    /// A WebSocket, for a new session or as the upgrade of a polling one.
    Upgrade(Arc<Link>),
    /// A request of a session without a link on this node. The engine may still know it, but
    /// nothing would count its packets.
    UnknownSession,
    Other,
}

impl RequestKind {
    pub(super) fn new<B>(engine: &Engine, request: &Request<B>) -> Self {
        let query = request.uri().query();
        let transport = query_parameter(query, "transport").map(engine_transport_name);
        let is_get = request.method() == Method::GET;
        let is_post = request.method() == Method::POST;
        let Some(sid) = query_parameter(query, "sid") else {
            return match transport {
                Some("polling") if is_get => Self::OpenPolling,
                Some("websocket") if is_get => {
                    Self::Upgrade(Arc::new(Link::new(engine.node.limits())))
                }
                _ => Self::Other,
            };
        };
        let Some(link) = engine.links.find(sid) else {
            return match transport {
                Some("polling" | "websocket") if is_get || is_post => Self::UnknownSession,
                _ => Self::Other,
            };
        };
        match transport {
            Some("polling") if is_get => Self::Poll(link),
            Some("polling") if is_post => Self::Post(link),
            Some("websocket") if is_get => Self::Upgrade(link),
            _ => Self::Other,
        }
    }

    /// Returns the link that the request's body counts for.
    pub(super) fn posting_link(&self) -> Option<Arc<Link>> {
        match self {
            Self::Post(link) => Some(Arc::clone(link)),
            _ => None,
        }
    }

    /// Returns the observer for the body of the response with this `status`.
    pub(super) fn into_observer(
        self,
        engine: &Arc<Engine>,
        connection: Option<Connection>,
        status: StatusCode,
    ) -> ResponseObserver {
        if !status.is_success() {
            return ResponseObserver::None;
        }
        match self {
            Self::OpenPolling => ResponseObserver::Handshake(Arc::clone(engine)),
            Self::Poll(link) => ResponseObserver::Poll(PollObserver::new(link, connection)),
            _ => ResponseObserver::None,
        }
    }
}

/// Returns the name that the engine reads from `transport`: for the engine it ends at a second `=`.
///
/// A request that the engine takes for a transport must be recognised here, too; otherwise it would
/// pass without being observed.
fn engine_transport_name(transport: &str) -> &str {
    transport.split('=').next().unwrap_or(transport)
}
