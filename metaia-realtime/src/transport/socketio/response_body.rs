//! The body type of every response of the transport.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

pub(super) type ResponseError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type BoxBody = UnsyncBoxBody<Bytes, ResponseError>;
