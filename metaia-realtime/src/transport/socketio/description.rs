//! The client of a request, as the request describes it.

use std::borrow::Cow;

use http::{
    HeaderMap, HeaderValue, Request,
    header::{ORIGIN, USER_AGENT},
};

use super::{engine_error::EngineError, query::query_parameter};
use crate::node::{ClientDescription, TransportKind};

/// Returns the client of a request, as the request describes it.
pub(super) fn client_of<B>(request: &Request<B>) -> ClientDescription {
    let headers = request.headers();
    let transport = TransportName::read(request.uri().query()).ok();
    let user_agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    ClientDescription::new(
        transport.map(TransportKind::from),
        origins(headers).as_deref(),
        user_agent,
    )
}

/// Returns the origin, or all of them if there are several: those are refused.
fn origins(headers: &HeaderMap) -> Option<Cow<'_, [u8]>> {
    let values = || headers.get_all(ORIGIN).iter().map(HeaderValue::as_bytes);
    let mut first_two = values();
    match (first_two.next(), first_two.next()) {
        (None, _) => None,
        (Some(only), None) => Some(Cow::Borrowed(only)),
        _ => Some(Cow::Owned(values().collect::<Vec<_>>().join(&b", "[..]))),
    }
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
