//! The headers by which browsers decide what a page of another origin may send and read.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    },
};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, Any, CorsLayer};

use super::origins::is_listed;
use crate::transport::Origins;

/// The headers that a page may read.
const RESPONSE_HEADERS: [HeaderName; 4] = [
    RETRY_AFTER,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("x-realtime-position"),
    HeaderName::from_static("x-request-id"),
];

/// What an answer grants to pages.
const GRANTS: [HeaderName; 5] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// The time for which a browser may keep the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// Returns the layer that answers preflight requests, and that marks the answers to others.
///
/// A page may send the headers that it asks for: tokens may come in one, and apps have headers of
/// their own. Listed origins may send credentials, which changes nothing: the server reads no
/// cookies, but the official clients have the option, and browsers then want to read that it is
/// allowed. Browsers do not accept that for `*`.
pub(super) fn cors(origins: &Origins) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(RESPONSE_HEADERS)
        .max_age(PREFLIGHT_AGE);
    let Origins::These(listed) = origins else {
        return layer.allow_origin(Any);
    };
    let listed = listed.clone();
    layer
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            is_listed(&listed, origin)
        }))
        .allow_credentials(AllowCredentials::yes())
}

/// Completes the headers of an answer of Socket.IO. Nothing between server and client may keep it
/// or read it as another type, and a page that may not read it is granted nothing else.
pub(super) fn complete(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    for grant in GRANTS {
        headers.remove(grant);
    }
}
