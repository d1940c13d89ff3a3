//! `/api/realtime/emit`

use axum::extract::State;
use http::StatusCode;
use metaia_realtime::PublishReceipt;

use super::{
    documents::{SentEvent, Success},
    reply::success,
};
use crate::{
    http::{
        extract::{IdempotencyKey, JsonBody, Key},
        problem::{ApiError, Body as Problem},
    },
    model::Caller,
    services::{Emit, IdempotentReply, Services},
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
