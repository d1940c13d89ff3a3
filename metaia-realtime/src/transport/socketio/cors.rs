//! The rights of pages of other origins: what they may send to Socket.IO, and read of its answers.

use http::{HeaderName, Method, header::RETRY_AFTER};
use tower_http::cors::CorsLayer;

use crate::transport::{Origins, cors_layer};

/// Returns the layer for the requests of Socket.IO.
pub(super) fn cors(origins: &Origins) -> CorsLayer {
    let listed = match origins {
        Origins::Any => None,
        Origins::These(listed) => Some(listed.clone()),
    };
    let readable = ["ratelimit", "x-realtime-position", "x-request-id"];
    let mut readable: Vec<_> = readable.map(HeaderName::from_static).into();
    readable.push(RETRY_AFTER);
    cors_layer(listed, vec![Method::GET, Method::POST], readable)
}
