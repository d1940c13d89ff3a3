//! The refusal of requests in which a header with credentials is there more than once. A proxy that
//! judges such a request might take another one of them than this server.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;

use crate::{auth::gate_refusal::GateRefusal, http::problem::ApiError};

/// The headers with tokens, keys and signatures, and with the id that a signature is for.
const CREDENTIALS: [&str; 4] = [
    "authorization",
    "x-api-key",
    "x-razorpay-signature",
    "x-razorpay-event-id",
];

/// Refuses a request with a repeated header.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_repeated = |name: &&str| headers.get_all(*name).iter().nth(1).is_some();
    match CREDENTIALS.into_iter().find(is_repeated) {
        Some(name) => problem(name).into_response(),
        None => next.run(request).await,
    }
}

fn problem(name: &str) -> ApiError {
    let detail = format!("The header {name} is there more than once: send it once.");
    let refusal = GateRefusal::RepeatedHeader;
    ApiError::new(StatusCode::BAD_REQUEST, refusal.code(), detail).at_gate(refusal)
}
