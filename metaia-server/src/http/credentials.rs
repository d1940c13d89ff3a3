//! The credentials in the headers of a request.

use http::{HeaderMap, HeaderName};
use metaia_realtime::auth::bearer_token;

use crate::auth::request_auth::RequestCredentials;

pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Returns the credentials of a request. The API key wins over a token: a client that sends a key
/// is a backend.
pub(super) fn credentials(headers: &HeaderMap) -> RequestCredentials<'_> {
    if let Some(key) = headers.get(API_KEY) {
        return RequestCredentials::ApiKey(key.as_bytes());
    }
    match bearer_token(headers) {
        Some(token) => RequestCredentials::Token(token),
        None => RequestCredentials::None,
    }
}
