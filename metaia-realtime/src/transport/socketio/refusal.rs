//! Responses to requests that are refused before the engine sees them: problem documents (RFC
//! 9457).

use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use super::response_body::{BoxBody, full};
use crate::node::HandshakeRefusal;

/// The `Retry-After` of every 503, in seconds.
const RETRY_AFTER_S: &str = "2";

const PROBLEM: &str = "application/problem+json";

impl HandshakeRefusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::Origin => StatusCode::FORBIDDEN,
            Self::RepeatedHeader => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Origin => {
                "This origin is not allowed. Add it to the allowed origins of the server. If it is \
                 the server's own, behind a proxy: add the proxy to the trusted ones."
            }
            Self::RepeatedHeader => {
                "The header Authorization is there more than once: send one token. Proxies and \
                 servers might each take another one."
            }
            Self::TooManySessions => "The session limit is reached. Try again later.",
            Self::TooManyHandshakes => "Too many clients are connecting. Try again in a moment.",
            Self::TooManyConnections => "The connection limit is reached. Try again later.",
            Self::Draining => "The server is shutting down. Connect again.",
            Self::CutOff => "This server cannot read its log, but others can. Connect again.",
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

    /// Returns the response: a problem document, with `Retry-After` if it is a 503.
    pub(super) fn into_response(self) -> Response<BoxBody> {
        tracing::info!(code = self.code(), "handshake refused");
        let status = self.status();
        let mut response = Response::new(full(self.problem()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }
}

/// Returns the whole HTTP response, as bytes on the wire, to a connection beyond the limit. It is
/// written without waiting for the request.
#[cfg(feature = "axum")]
pub(crate) fn too_many_connections() -> String {
    let refusal = HandshakeRefusal::TooManyConnections;
    tracing::info!(code = refusal.code(), "connection refused");
    let problem = refusal.problem();
    let length = problem.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\n\
         content-type: {PROBLEM}\r\n\
         content-length: {length}\r\n\
         retry-after: {RETRY_AFTER_S}\r\n\
         cache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n\
         connection: close\r\n\
         \r\n\
         {problem}"
    )
}
