//! `/api/realtime/{emit,revoke}`

use axum::extract::State;
use http::StatusCode;
use metaia_realtime::{PublishReceipt, revocation::Revocation};

use super::{
    documents::{OneRevocation, SentEvent, Success},
    reply::success,
};
use crate::{
    http::{
        extract::{IdempotencyKey, JsonBody, Key},
        problem::{ApiError, Body as Problem},
    },
    model::Caller,
    services::{Emit, IdempotentReply, Revoke, Services},
    store::StoredReply,
};

/// Sends an event to a user, a role, the followers of an order, or everyone. For admins and
/// backends.
#[utoipa::path(post, path = "/api/realtime/emit", tag = "realtime",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A repeated request gets the first reply for 24 h",
    )),
    request_body = Emit,
    responses(
        (
            status = 202, body = Success<SentEvent>,
            description = "The event's id and position; empty for a volatile event",
        ),
        (status = 403, description = "Neither an admin nor a backend", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn emit(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(emit): JsonBody<Emit>,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .emit(&caller, key.as_ref().map(Key::as_str), emit, accepted)
        .await?)
}

fn accepted(receipt: Option<&PublishReceipt>) -> StoredReply {
    let sent = receipt.map(SentEvent::from).unwrap_or_default();
    success(StatusCode::ACCEPTED, sent)
}

/// Revokes tokens for good: of a user, one by its `jti`, or everyone's. Their sessions end on all
/// nodes within 5 s, and the tokens are refused from now on. A `jti` is revoked whoever issued the
/// token: for every issuer. For admins.
#[utoipa::path(post, path = "/api/realtime/revoke", tag = "realtime",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A repeated request gets the first reply for 24 h",
    )),
    request_body = Revoke,
    responses(
        (
            status = 200, body = Success<OneRevocation>,
            description = "The record that stands. A later one of the same user is kept",
        ),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
        (
            status = 503, body = Problem,
            description = "It may not have been stored. A retry is safe",
        ),
    ))]
pub(super) async fn revoke(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(revoke): JsonBody<Revoke>,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .revoke(&caller, key.as_ref().map(Key::as_str), revoke, revoked)
        .await?)
}

fn revoked(standing: &Revocation) -> StoredReply {
    let revocation = standing.into();
    success(StatusCode::OK, OneRevocation { revocation })
}
