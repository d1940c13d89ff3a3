//! Answers of services over HTTP.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{services::Outcome, store::Answer};

/// Says that the answer is the first one to the same request, given again.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            self.body,
        )
            .into_response();
        let tag = self
            .version
            .and_then(|version| HeaderValue::try_from(format!("\"{version}\"")).ok());
        response
            .headers_mut()
            .extend(tag.map(|tag| (header::ETAG, tag)));
        response
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        if self.replayed {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
