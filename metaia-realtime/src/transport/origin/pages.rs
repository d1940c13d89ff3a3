//! The headers by which browsers decide what a page of another origin may send and read (CORS, in
//! the Fetch standard). They do not concern apps outside browsers.

use std::{collections::BTreeSet, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS,
    },
};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, Any, CorsLayer};

use super::WebOrigin;

/// The headers by which an answer grants rights to pages.
const GRANTS: [HeaderName; 5] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// The time for which a browser may keep the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// Returns the layer that answers preflight requests of browsers, and that marks the answers to
/// other requests. Pages of the `listed` origins, or of any if there is no list, may send requests
/// with these `methods`, and read these headers of the answers. The transport has such a layer for
/// its own requests; this one is for your routes.
///
/// A page may send the headers that it asks for: tokens may come in one, and apps have headers of
/// their own. Listed origins may send credentials, which changes nothing if your routes, like the
/// transport, read no cookies; browsers do not accept that for `*`.
///
/// ```
/// use http::{Method, header::RETRY_AFTER};
/// use metaia_realtime::serve::{WebOrigin, cors_layer};
/// let app: WebOrigin = "https://app.example".parse()?;
/// let layer = cors_layer(Some([app].into()), vec![Method::GET, Method::PUT], vec![RETRY_AFTER]);
/// # let _ = layer;
/// # Ok::<(), metaia_realtime::serve::InvalidOrigin>(())
/// ```
pub fn cors_layer(
    listed: Option<BTreeSet<WebOrigin>>,
    methods: Vec<Method>,
    readable: Vec<HeaderName>,
) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods(methods)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(readable)
        .max_age(PREFLIGHT_AGE);
    let Some(listed) = listed else {
        return layer.allow_origin(Any);
    };
    layer
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            is_listed(&listed, origin)
        }))
        .allow_credentials(AllowCredentials::yes())
}

/// Returns whether the list has the origin of this header.
pub(crate) fn is_listed(listed: &BTreeSet<WebOrigin>, origin: &HeaderValue) -> bool {
    let origin = origin.to_str().ok().and_then(WebOrigin::from_header);
    origin.is_some_and(|origin| listed.contains(&origin))
}

/// Completes the headers of an answer, outside of [`cors_layer`]: nothing between server and client
/// may keep it or read it as another type, and a page that may not read it is granted nothing else.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// metaia_realtime::serve::complete_headers(&mut headers);
/// assert_eq!(headers["cache-control"], "no-store");
/// ```
pub fn complete_headers(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    for grant in GRANTS {
        headers.remove(grant);
    }
}
