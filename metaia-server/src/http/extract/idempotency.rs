//! `Idempotency-Key`: a request that is sent twice is carried out once.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderName, StatusCode, request::Parts};

use crate::http::problem::ApiError;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

const MAX_KEY_BYTES: usize = 255;

/// The key of a request, chosen by its caller: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let visible = bytes.iter().all(u8::is_ascii_graphic);
        if visible && (1..=MAX_KEY_BYTES).contains(&bytes.len()) {
            Some(Self(text.into()))
        } else {
            None
        }
    }
}

/// The key of the request, if it has one. A malformed key, or more than one key, is 400
/// `invalid_idempotency_key`.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<Key>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let Some(first) = given.next() else {
            return Ok(Self(None));
        };
        let is_only_one = given.next().is_none();
        match Key::parse(first.as_bytes()) {
            Some(key) if is_only_one => Ok(Self(Some(key))),
            _ => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalid_idempotency_key",
                "Idempotency-Key must be 1 to 255 visible ASCII characters, and be given once.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(headers: &[&str], expected: Result<Option<&str>, &str>) {
        let builder = http::Request::builder();
        let builder = headers
            .iter()
            .fold(builder, |b, key| b.header(HEADER, *key));
        let (mut parts, ()) = builder.body(()).unwrap().into_parts();
        let read = IdempotencyKey::from_request_parts(&mut parts, &()).await;
        let read = read
            .as_ref()
            .map(|IdempotencyKey(key)| key.as_ref().map(Key::as_str));
        assert_eq!(read.map_err(ApiError::code), expected, "{headers:?}");
    }

    #[tokio::test]
    async fn a_key_is_one_visible_text() {
        let refused = Err("invalid_idempotency_key");
        check(&[], Ok(None)).await;
        check(&["a-1~!"], Ok(Some("a-1~!"))).await;
        check(&[""], refused).await;
        check(&["a b"], refused).await;
        check(&[&"a".repeat(256)], refused).await;
        check(&["a", "b"], refused).await;
    }
}
