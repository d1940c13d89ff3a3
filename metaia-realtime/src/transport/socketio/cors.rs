//! The CORS headers for polling.

use http::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::origins::is_listed;
use crate::transport::Origins;

/// Returns the layer that answers preflights and marks answers. Credentials are not allowed: tokens
/// come in a header, never in cookies.
pub(super) fn cors(origins: &Origins) -> CorsLayer {
    let allowed = match origins {
        Origins::Any => AllowOrigin::from(Any),
        Origins::These(listed) => {
            let listed = listed.clone();
            AllowOrigin::predicate(move |origin, _| is_listed(&listed, origin))
        }
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
}
