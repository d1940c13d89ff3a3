//! `Idempotency-Key`: the same request sent twice is done once.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderName, StatusCode, request::Parts};

use crate::http::problem::ApiError;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// What the caller calls this request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let visible = (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        let text = std::str::from_utf8(bytes).ok()?;
        visible.then(|| Self(text.into()))
    }
}

/// The key, where there is one. A malformed one, or more than one, is 400
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
        let key = Key::parse(first.as_bytes()).filter(|_| given.next().is_none());
        key.map(|key| Self(Some(key))).ok_or_else(|| {
            let detail = "Idempotency-Key is 1 to 255 visible ASCII characters, once.";
            ApiError::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail)
        })
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
