//! `/api/tailors`

use axum::extract::State;

use super::documents::Success;
use crate::{
    http::{
        extract::JsonBody,
        problem::{ApiError, Body as Problem},
    },
    model::{Caller, TailorStatus},
    services::{Services, TailorStatusChange},
};

/// Sets whether the calling tailor takes work.
#[utoipa::path(put, path = "/api/tailors/me/status", tag = "tailors",
    request_body = TailorStatusChange,
    responses(
        (status = 200, description = "The status", body = Success<TailorStatus>),
        (status = 403, description = "Not a tailor", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn set_status(
    State(services): State<Services>,
    caller: Caller,
    JsonBody(change): JsonBody<TailorStatusChange>,
) -> Result<Success<TailorStatus>, ApiError> {
    let status = services.set_tailor_status(&caller, change).await?;
    Ok(Success::of(status))
}
