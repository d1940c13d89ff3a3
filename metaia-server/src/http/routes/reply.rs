//! Successful replies: the status and the body of each are chosen by its route.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::documents::Success;
use crate::{services::IdempotentReply, store::StoredReply};

/// The header of a reply that repeats the first reply to the same request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Returns a reply with the body `{"status":"success","data":…}`. It can be stored.
pub(super) fn success(status: StatusCode, data: impl Serialize) -> StoredReply {
    enveloped(status, &Success::of(data))
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        enveloped(StatusCode::OK, &self).into_response()
    }
}

fn enveloped(status: StatusCode, body: &Success<impl Serialize>) -> StoredReply {
    StoredReply {
        status: status.as_u16(),
        // The documents of this server always serialize.
        body: serde_json::to_string(body).unwrap_or_default(),
        version: None,
    }
}

impl IntoResponse for StoredReply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let content_type = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (status, content_type, self.body).into_response();
        if let Some(version) = self.version
            && let Ok(tag) = HeaderValue::try_from(format!("\"{version}\""))
        {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

impl IntoResponse for IdempotentReply {
    fn into_response(self) -> Response {
        let mut response = self.reply.into_response();
        if self.replayed {
            let value = HeaderValue::from_static("true");
            response.headers_mut().insert(REPLAYED, value);
        }
        response
    }
}
