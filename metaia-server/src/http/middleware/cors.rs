//! CORS: the web pages that may use the REST interface. It does not concern apps outside browsers.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use metaia_realtime::serve::WebOrigin;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::request_id;
use crate::config::Origins;

/// The headers that a page may send.
const REQUEST_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-api-key"),
    request_id::HEADER,
];

/// The headers that a page may read.
const RESPONSE_HEADERS: [HeaderName; 4] = [
    header::ETAG,
    header::RETRY_AFTER,
    HeaderName::from_static("idempotency-replayed"),
    request_id::HEADER,
];

/// The time for which a browser may keep the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

pub(super) fn layer(origins: &Origins) -> CorsLayer {
    let origins = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::These(these) => {
            let these = these.clone();
            AllowOrigin::predicate(move |origin, _| is_listed(&these, origin))
        }
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(REQUEST_HEADERS)
        .expose_headers(RESPONSE_HEADERS)
        .max_age(PREFLIGHT_AGE)
}

fn is_listed(these: &[WebOrigin], origin: &HeaderValue) -> bool {
    let origin = origin.to_str().ok().and_then(WebOrigin::from_header);
    origin.is_some_and(|origin| these.contains(&origin))
}
