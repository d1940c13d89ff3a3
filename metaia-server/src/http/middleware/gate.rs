//! The record of requests that are refused at the gate: each is counted, listed and logged here,
//! whatever part of the server refused it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use metaia_realtime::auth::ProvenClaims;

use crate::{
    auth::{
        gate_refusal::GateRefusal,
        key_guard::{KeyGuard, RequestClient},
        request_auth::RequestAuth,
    },
    http::credentials::{API_KEY, credentials},
};

/// The values of the headers that say who sent a request.
type Kept = [Option<HeaderValue>; 4];

/// Their names.
const KEPT: [HeaderName; 4] = [
    API_KEY,
    header::AUTHORIZATION,
    header::ORIGIN,
    header::USER_AGENT,
];

/// The record. A handle: all clones record together.
#[derive(Debug, Clone)]
pub(crate) struct GateRecord {
    pub(crate) guard: Arc<KeyGuard>,
    pub(crate) auth: Arc<RequestAuth>,
}

/// Records a request if its answer is a refusal of the gate.
pub(crate) async fn record(
    State(record): State<GateRecord>,
    request: Request,
    next: Next,
) -> Response {
    let kept = KEPT.map(|name| request.headers().get(name).cloned());
    let response = next.run(request).await;
    if let Some(refusal) = response.extensions().get() {
        record.add(*refusal, kept);
    }
    response
}

impl GateRecord {
    fn add(&self, refusal: GateRefusal, kept: Kept) {
        let named = KEPT.into_iter().zip(kept);
        let headers: HeaderMap = named
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let client = RequestClient {
            origin: headers.get(header::ORIGIN).map(HeaderValue::as_bytes),
            user_agent: headers.get(header::USER_AGENT).map(HeaderValue::as_bytes),
        };
        let claims = if refusal.has_one_caller() {
            self.auth.proven_claims(credentials(&headers))
        } else {
            ProvenClaims::default()
        };
        self.guard.refuse(refusal, client, claims);
    }
}
