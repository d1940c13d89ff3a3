//! The client of a request, for the case that its credentials are refused.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};

use crate::{
    auth::{
        key_guard::{KeyGuard, RequestClient},
        wrong_keys::KeyKind,
    },
    http::problem::ApiError,
};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client of a request, to whom a wrong key is counted, and who is listed if it is refused.
#[derive(Debug, Clone)]
pub struct KeyAttempt {
    guard: Arc<KeyGuard>,
    peer: IpAddr,
    forwarded_for: Vec<HeaderValue>,
    origin: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
}

impl<S> FromRequestParts<S> for KeyAttempt
where
    Arc<KeyGuard>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self::of(parts, Arc::<KeyGuard>::from_ref(state)))
    }
}

impl KeyAttempt {
    pub(super) fn of(parts: &Parts, guard: Arc<KeyGuard>) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self {
            guard,
            // Without a connection, as in unit tests, all clients are one.
            peer: peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip()),
            forwarded_for: values(&parts.headers),
            origin: parts.headers.get(header::ORIGIN).cloned(),
            user_agent: parts.headers.get(header::USER_AGENT).cloned(),
        }
    }

    fn client(&self) -> RequestClient<'_> {
        RequestClient {
            origin: self.origin.as_ref().map(HeaderValue::as_bytes),
            user_agent: self.user_agent.as_ref().map(HeaderValue::as_bytes),
        }
    }

    /// Counts and lists a wrong key. Returns its refusal, or 429 if there were too many.
    pub(crate) fn refuse(&self, kind: KeyKind, refusal: ApiError) -> ApiError {
        let forwarded_for = self.forwarded_for.iter();
        // A list that is not text names nobody.
        let lists = forwarded_for.map(|value| value.to_str().unwrap_or_default());
        let client = self.client();
        match self.guard.count_wrong(kind, client, self.peer, lists) {
            Ok(()) => refusal,
            Err(wait) => {
                // Rounded up: a client that waits this long is not refused again.
                let seconds = HeaderValue::from(wait.as_secs() + 1);
                let detail = "Too many wrong keys from your network. Try again later.";
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, "wrong_key", detail)
                    .header(header::RETRY_AFTER, seconds)
            }
        }
    }
}

fn values(headers: &HeaderMap) -> Vec<HeaderValue> {
    headers.get_all(FORWARDED_FOR).iter().cloned().collect()
}
