//! Requests that are turned away before the engine sees them: problem documents (RFC 9457).

use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt as _, Full};

use crate::transport::socketio::service::BoxBody;

/// When a client that was turned away may come back, in seconds.
const RETRY_AFTER_S: &str = "2";

const PROBLEM: &str = "application/problem+json";

/// Why a request was turned away.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    Origin,
    Full,
    TooManyHandshakes,
    Draining,
    CutOff,
    #[cfg(feature = "axum")]
    Connections,
}

impl Refusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::Origin => StatusCode::FORBIDDEN,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Origin => "origin_not_allowed",
            Self::Full => "too_many_sessions",
            Self::TooManyHandshakes => "too_many_handshakes",
            Self::Draining => "draining",
            Self::CutOff => "cut_off",
            #[cfg(feature = "axum")]
            Self::Connections => "too_many_connections",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Origin => {
                "This origin may not connect. Add it to the allowed origins of the server."
            }
            Self::Full => "The server has as many sessions as it may have. Try again later.",
            Self::TooManyHandshakes => "Too many clients connect at once. Try again in a moment.",
            #[cfg(feature = "axum")]
            Self::Connections => {
                "The server has as many connections as it may have. Try again later."
            }
            Self::Draining => "The server is going away. Connect again.",
            Self::CutOff => "This server cannot read its log, and others can. Connect again.",
        }
    }

    fn problem(self) -> String {
        let status = self.status();
        serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "code": self.code(),
            "message": self.detail(),
        })
        .to_string()
    }

    /// The answer: a problem document (RFC 9457).
    pub(super) fn answer(self) -> Response<BoxBody> {
        tracing::info!(code = self.code(), "handshake refused");
        let status = self.status();
        let body = Full::from(self.problem())
            .map_err(|never| match never {})
            .boxed_unsync();
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        answer
    }
}

/// What the engine itself says to a `sid` that it does not know.
pub(super) fn unknown_session() -> Response<BoxBody> {
    let body = Full::from(r#"{"code":"1","message":"Session ID unknown"}"#);
    let mut answer = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The answer, as it is written, to a connection that there is no place for. Its request is not
/// waited for.
#[cfg(feature = "axum")]
pub(crate) fn too_many_connections() -> String {
    tracing::info!(code = Refusal::Connections.code(), "connection refused");
    let problem = Refusal::Connections.problem();
    let length = problem.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {PROBLEM}\r\ncontent-length: {length}\r\n\
         retry-after: {RETRY_AFTER_S}\r\nconnection: close\r\n\r\n{problem}"
    )
}
