//! Which web pages may use the REST interface. Apps outside browsers are not concerned.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::request_id;
use crate::config::Origins;

const ASKED: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-api-key"),
    request_id::HEADER,
];

const SHOWN: [HeaderName; 4] = [
    header::ETAG,
    header::RETRY_AFTER,
    HeaderName::from_static("idempotency-replayed"),
    request_id::HEADER,
];

pub(super) fn layer(origins: &Origins) -> CorsLayer {
    let origins = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::These(these) => AllowOrigin::list(
            these
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok()),
        ),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(ASKED)
        .expose_headers(SHOWN)
        .max_age(Duration::from_secs(600))
}
