//! The purpose of a request to the engine, and the connection that it came over.

use std::{net::IpAddr, sync::Arc};

use http::{Method, Request};

use super::{
    description::TransportName, engine::Engine, engine_error::EngineError, link::Link,
    query::query_parameter,
};
use crate::transport::{Transports, guard::Connection};

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

/// Adds the address of a guarded connection as `ConnectInfo<SocketAddr>`, unless there is one. Most
/// handlers extract that, and `PeerAddr` takes its place in a `GuardedListener`.
#[cfg(feature = "axum")]
pub(super) fn add_socket_addr<B>(request: &mut Request<B>) {
    use axum::extract::ConnectInfo;
    let Some(peer) = connection_of(request).map(Connection::peer) else {
        return;
    };
    let extensions = request.extensions_mut();
    if extensions
        .get::<ConnectInfo<std::net::SocketAddr>>()
        .is_none()
    {
        extensions.insert(ConnectInfo(peer));
    }
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
    Post(Arc<Link>, String),
    /// A WebSocket for a new session.
    OpenWebSocket,
    /// A WebSocket as the upgrade of a polling session.
    Upgrade(Arc<Link>),
}

impl RequestKind {
    /// Reads the purpose of a request (Engine.IO v4).
    ///
    /// # Errors
    /// Returns the error to answer. A session without a link on this node is unknown: the engine
    /// may still know it, but nothing would count its packets.
    pub(super) fn new<B>(engine: &Engine, request: &Request<B>) -> Result<Self, EngineError> {
        let query = request.uri().query();
        let transport = TransportName::read(query)?;
        if query_parameter(query, "EIO") != Some("4") {
            return Err(EngineError::UnsupportedVersion);
        }
        if engine.settings.transports == Transports::WebSocketOnly
            && transport == TransportName::Polling
        {
            return Err(EngineError::PollingIsOff);
        }
        match query_parameter(query, "sid") {
            None => Self::handshake(transport, request.method()),
            Some(sid) => {
                let link = engine.links.find(sid).ok_or(EngineError::UnknownSession)?;
                Self::of_session(transport, request.method(), link, sid)
            }
        }
    }

    fn handshake(transport: TransportName, method: &Method) -> Result<Self, EngineError> {
        if method != Method::GET {
            return Err(EngineError::BadHandshakeMethod);
        }
        Ok(match transport {
            TransportName::Polling => Self::OpenPolling,
            TransportName::WebSocket => Self::OpenWebSocket,
        })
    }

    fn of_session(
        transport: TransportName,
        method: &Method,
        link: Arc<Link>,
        sid: &str,
    ) -> Result<Self, EngineError> {
        if link.upgrade.has_switched() {
            return Err(EngineError::BadRequest);
        }
        match (transport, method) {
            (TransportName::Polling, &Method::GET) => Ok(Self::Poll(link)),
            (TransportName::Polling, &Method::POST) => Ok(Self::Post(link, sid.to_owned())),
            (TransportName::WebSocket, &Method::GET) => Ok(Self::Upgrade(link)),
            _ => Err(EngineError::BadRequest),
        }
    }
}
