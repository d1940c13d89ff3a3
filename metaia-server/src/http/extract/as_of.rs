//! `x-realtime-position`: the position as of which the records of a reply are current.

use std::convert::Infallible;

use axum::{
    extract::{FromRef, FromRequestParts},
    response::{IntoResponseParts, ResponseParts},
};
use http::{HeaderName, HeaderValue, request::Parts};
use metaia_realtime::Position;

use crate::services::Services;

const HEADER: HeaderName = HeaderName::from_static("x-realtime-position");

/// A position in the log, taken before a handler reads records. A client that connects with it as
/// `auth.since` receives every event that the records may lack.
///
/// In a reply it is a header. There is none while the server has not yet read its log.
#[derive(Debug, Clone, Copy)]
pub struct AsOf(Option<Position>);

impl<S> FromRequestParts<S> for AsOf
where
    S: Send + Sync,
    Services: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self(Services::from_ref(state).position()))
    }
}

impl IntoResponseParts for AsOf {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        let value = self
            .0
            .map(|position| HeaderValue::try_from(position.to_string()));
        if let Some(Ok(value)) = value {
            parts.headers_mut().insert(HEADER, value);
        }
        Ok(parts)
    }
}
