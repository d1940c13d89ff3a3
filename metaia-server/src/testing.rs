//! Helpers for the unit tests of this crate.

use axum::response::Response;
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;

pub(crate) use crate::store::testing::Folder;

/// Returns the status and the JSON body of a response.
pub(crate) async fn json(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}
