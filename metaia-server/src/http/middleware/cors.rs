//! The headers by which browsers decide what a page of another origin may send and read, and
//! whether anything may keep an answer. They do not concern apps outside browsers.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, header};
use metaia_realtime::serve::WebOrigin;
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, CorsLayer};

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

/// What an answer grants to pages.
const GRANTS: [HeaderName; 5] = [
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// The time for which a browser may keep the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// Returns the layer that answers preflight requests, and that marks the answers to others.
///
/// A page may send the headers that it asks for. Listed origins may send credentials, as some
/// programs for browsers do by default; the server reads no cookies. Browsers do not accept that
/// for `*`.
pub(super) fn layer(origins: &Origins) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(RESPONSE_HEADERS)
        .max_age(PREFLIGHT_AGE);
    let Origins::These(these) = origins else {
        return layer.allow_origin(AllowOrigin::any());
    };
    let these = these.clone();
    layer
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            is_listed(&these, origin)
        }))
        .allow_credentials(AllowCredentials::yes())
}

fn is_listed(these: &[WebOrigin], origin: &HeaderValue) -> bool {
    let origin = origin.to_str().ok().and_then(WebOrigin::from_header);
    origin.is_some_and(|origin| these.contains(&origin))
}

/// Completes the headers of an answer. Nothing between server and client may keep it or read it as
/// another type, and a page that may not read it is granted nothing else.
pub(super) async fn complete(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    let no_sniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, no_sniff);
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        for grant in GRANTS {
            headers.remove(grant);
        }
    }
    response
}
