//! `/api/tailors`

use axum::extract::State;
use http::StatusCode;

use super::{documents::Success, reply::success};
use crate::{
    http::{
        extract::{IdempotencyKey, JsonBody, Key},
        problem::{ApiError, Body as Problem},
    },
    model::{Caller, TailorStatus},
    services::{IdempotentReply, Services, TailorStatusChange},
    store::StoredReply,
};

/// Sets whether the calling tailor takes work.
#[utoipa::path(put, path = "/api/tailors/me/status", tag = "tailors",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A repeated request gets the first reply for 24 h",
    )),
    request_body = TailorStatusChange,
    responses(
        (status = 200, description = "The status", body = Success<TailorStatus>),
        (status = 403, description = "Not a tailor", body = Problem),
        (
            status = 409,
            description = "`idempotency_in_progress`: a request with this key is running",
            body = Problem,
        ),
        (
            status = 422,
            description = "Not valid, or `idempotency_key_reused`: the key was used for another \
                           status",
            body = Problem,
        ),
    ))]
pub(super) async fn set_status(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(change): JsonBody<TailorStatusChange>,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .set_tailor_status(&caller, key.as_ref().map(Key::as_str), change, reported)
        .await?)
}

fn reported(status: &TailorStatus) -> StoredReply {
    success(StatusCode::OK, status)
}
