//! The errors of Engine.IO, as its official server answers them: a document with a number and a
//! message.

use http::{
    HeaderValue, Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE},
};

use super::{
    response_body::{BoxBody, full},
    websocket::BadHandshake,
};
use crate::node::ProtocolRefusal;

/// A request that Engine.IO does not know, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EngineError {
    UnknownTransport,
    UnknownSession,
    BadHandshakeMethod,
    BadRequest,
    /// A bad request, too: the client wants to poll, and only WebSockets are served.
    PollingIsOff,
    UnsupportedVersion,
}

impl EngineError {
    /// Returns the number by which official clients know the error.
    const fn code(self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSession => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest | Self::PollingIsOff => 3,
            Self::UnsupportedVersion => 5,
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::UnknownTransport => "Transport unknown",
            Self::UnknownSession => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest | Self::PollingIsOff => "Bad request",
            Self::UnsupportedVersion => "Unsupported protocol version",
        }
    }

    /// Returns the answer, with the status 400.
    pub(super) fn into_response(self) -> Response<BoxBody> {
        let document = serde_json::json!({ "code": self.code(), "message": self.message() });
        let mut response = Response::new(full(document.to_string()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

impl From<EngineError> for ProtocolRefusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::UnknownTransport => Self::UnknownTransport,
            EngineError::UnknownSession => Self::UnknownSession,
            EngineError::BadHandshakeMethod => Self::BadHandshakeMethod,
            EngineError::BadRequest => Self::BadRequest,
            EngineError::PollingIsOff => Self::PollingIsOff,
            EngineError::UnsupportedVersion => Self::UnsupportedVersion,
        }
    }
}

impl From<BadHandshake> for ProtocolRefusal {
    fn from(bad: BadHandshake) -> Self {
        match bad {
            BadHandshake::NoUpgrade => Self::NoUpgrade,
            BadHandshake::Version => Self::WebSocketVersion,
            BadHandshake::Key => Self::WebSocketKey,
        }
    }
}

impl BadHandshake {
    /// Returns the answer: 400, or 426 with what the server offers (RFC 9110, 7.8 and 15.5.22;
    /// RFC 6455, 4.4).
    pub(super) fn into_response(self) -> Response<BoxBody> {
        let mut response = EngineError::BadRequest.into_response();
        if self == Self::Key {
            return response;
        }
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        response
    }
}
