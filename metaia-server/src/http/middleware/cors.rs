//! The rights of pages of other origins: what they may send to the routes, and read of the answers.

use axum::response::Response;
use http::{HeaderName, Method, header};
use metaia_realtime::serve::{complete_headers, cors_layer};
use tower_http::cors::CorsLayer;

use super::request_id;
use crate::config::Origins;

/// The headers that a page may read.
const RESPONSE_HEADERS: [HeaderName; 6] = [
    header::ETAG,
    header::RETRY_AFTER,
    HeaderName::from_static("idempotency-replayed"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("x-realtime-position"),
    request_id::HEADER,
];

/// Returns the layer for the routes.
pub(super) fn layer(origins: &Origins) -> CorsLayer {
    let listed = match origins {
        Origins::Any => None,
        Origins::These(these) => Some(these.iter().cloned().collect()),
    };
    let methods = vec![Method::GET, Method::POST, Method::PUT, Method::DELETE];
    cors_layer(listed, methods, RESPONSE_HEADERS.into())
}

/// Completes the headers of an answer. One that is the same for everybody says itself how long it
/// may be kept.
pub(super) async fn complete(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let own = headers.remove(header::CACHE_CONTROL);
    complete_headers(headers);
    if let Some(own) = own {
        headers.insert(header::CACHE_CONTROL, own);
    }
    response
}
