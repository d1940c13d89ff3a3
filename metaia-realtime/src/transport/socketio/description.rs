//! The client of a request, as the request describes it.

use http::{
    HeaderValue, Request,
    header::{ORIGIN, USER_AGENT},
};

use super::{engine_error::EngineError, query::query_parameter};
use crate::node::{ClientDescription, TransportKind};

/// Returns the client of a request, as the request describes it.
pub(super) fn client_of<B>(request: &Request<B>) -> ClientDescription {
    let headers = request.headers();
    let transport = TransportName::read(request.uri().query()).ok();
    let origins: Vec<_> = headers
        .get_all(ORIGIN)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let origin = (!origins.is_empty()).then(|| origins.join(&b", "[..]));
    let user_agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    ClientDescription::new(
        transport.map(TransportKind::from),
        origin.as_deref(),
        user_agent,
    )
}

/// A transport by its name in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransportName {
    Polling,
    WebSocket,
}

impl From<TransportName> for TransportKind {
    fn from(name: TransportName) -> Self {
        match name {
            TransportName::Polling => Self::Polling,
            TransportName::WebSocket => Self::WebSocket,
        }
    }
}

impl TransportName {
    pub(super) fn read(query: Option<&str>) -> Result<Self, EngineError> {
        match query_parameter(query, "transport").map(engine_transport_name) {
            Some("polling") => Ok(Self::Polling),
            Some("websocket") => Ok(Self::WebSocket),
            _ => Err(EngineError::UnknownTransport),
        }
    }
}

/// Returns the name that the engine reads from `transport`: for the engine it ends at a second `=`.
fn engine_transport_name(transport: &str) -> &str {
    transport.split('=').next().unwrap_or(transport)
}
