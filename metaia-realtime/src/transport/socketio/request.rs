//! What a request for the engine is for, and which connection it came over.

use std::sync::Arc;

use http::{Method, Request, StatusCode};

use super::{
    Engine,
    body::{Polled, Watch},
    link::Link,
};
use crate::transport::guard::Connection;

/// The connection of ours that a request came over, wherever the listener put it.
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

/// What a request is for.
pub(super) enum Visit {
    OpenPolling,
    Poll(Arc<Link>),
    Post(Arc<Link>),
    /// A WebSocket: a new session's, or the upgrade of one that polls.
    Upgrade(Arc<Link>),
    /// Of a session that is not known here, any more: the engine may know it still, but nobody
    /// would watch it.
    Stranger,
    Other,
}

impl Visit {
    pub(super) fn of<B>(engine: &Engine, request: &Request<B>) -> Self {
        let parameter = |name| query(request.uri().query(), name);
        let link = parameter("sid").map(|sid| engine.links.find(sid));
        match (
            request.method(),
            parameter("transport").map(as_the_engine_reads),
            link,
        ) {
            (&Method::GET, Some("polling"), None) => Self::OpenPolling,
            (&Method::GET, Some("polling"), Some(Some(link))) => Self::Poll(link),
            (&Method::POST, Some("polling"), Some(Some(link))) => Self::Post(link),
            (&Method::GET, Some("websocket"), None) => {
                Self::Upgrade(Arc::new(Link::new(&engine.node.limits())))
            }
            (&Method::GET, Some("websocket"), Some(Some(link))) => Self::Upgrade(link),
            (&Method::GET | &Method::POST, Some("polling" | "websocket"), Some(None)) => {
                Self::Stranger
            }
            _ => Self::Other,
        }
    }

    pub(super) fn posting(&self) -> Option<Arc<Link>> {
        match self {
            Self::Post(link) => Some(Arc::clone(link)),
            _ => None,
        }
    }

    pub(super) fn watch(
        self,
        engine: &Arc<Engine>,
        connection: Option<Connection>,
        status: StatusCode,
    ) -> Watch {
        match self {
            Self::OpenPolling if status.is_success() => Watch::Opening(Arc::clone(engine)),
            Self::Poll(link) if status.is_success() => Watch::Poll(Polled::new(link, connection)),
            _ => Watch::Nothing,
        }
    }
}

/// To the engine a transport ends at a second `=`. Whatever it takes for one must be seen as one
/// here, or it would pass unwatched.
fn as_the_engine_reads(transport: &str) -> &str {
    transport.split('=').next().unwrap_or(transport)
}

/// A parameter of a query, as it stands there.
pub(super) fn query<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?.split('&').find_map(|pair| {
        pair.split_once('=')
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        assert_eq!(query(Some("EIO=4&xsid=1&sid=2"), "sid"), Some("2"));
        assert_eq!(query(Some("EIO=4"), "sid"), None);
        assert_eq!(query(None, "sid"), None);
    }
}
