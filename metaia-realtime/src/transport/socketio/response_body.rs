//! The body type of every response of the transport.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};

pub(super) type ResponseError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type BoxBody = UnsyncBoxBody<Bytes, ResponseError>;

/// Returns a body that is available at once.
pub(super) fn full(body: impl Into<Bytes>) -> BoxBody {
    Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}
