//! Requests that are turned away before the engine sees them: problem documents (RFC 9457).

use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt as _, Full};

use super::gate::BoxBody;

/// When a client that was turned away may come back, in seconds.
const RETRY_AFTER_S: &str = "2";

/// Why a request was turned away.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    Origin,
    Full,
    TooManyHandshakes,
    Draining,
}

impl Refusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::Origin => StatusCode::FORBIDDEN,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Origin => "origin_not_allowed",
            Self::Full => "too_many_sessions",
            Self::TooManyHandshakes => "too_many_handshakes",
            Self::Draining => "draining",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Origin => "This origin may not connect. Add it to the allowed origins of the server.",
            Self::Full => "The server has as many sessions as it may have. Try again later.",
            Self::TooManyHandshakes => "Too many clients connect at once. Try again in a moment.",
            Self::Draining => "The server is going away. Connect again.",
        }
    }

    /// The answer: a problem document (RFC 9457).
    pub(super) fn answer(self) -> Response<BoxBody> {
        tracing::info!(code = self.code(), "handshake refused");
        let status = self.status();
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "code": self.code(),
            "message": self.detail(),
        });
        let body = Full::from(problem.to_string()).map_err(|never| match never {}).boxed_unsync();
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        answer
    }
}
