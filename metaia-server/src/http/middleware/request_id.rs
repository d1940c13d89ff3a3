//! The id of each request: the caller's `x-request-id` if it is well-formed, otherwise a new one.
//! It is in the response, in problem documents and in the log.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const MAX_ID_BYTES: usize = 64;

tokio::task_local! {
    static CURRENT: HeaderValue;
}

/// Returns the id of the request that the current task answers; outside of a request an empty text.
pub(crate) fn current() -> String {
    CURRENT
        .try_with(|id| id.to_str().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

/// Gives the request an id, and repeats it in the response.
pub(crate) async fn assign(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(new);
    let mut response = CURRENT.scope(id.clone(), next.run(request)).await;
    response.headers_mut().insert(HEADER, id);
    response
}

/// Returns the caller's id if it is 1 to 64 characters of `A-Za-z0-9_.:-`, so that it cannot forge
/// a log line.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(HEADER)?;
    let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"_.:-".contains(b);
    if (1..=MAX_ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(is_allowed) {
        Some(id.clone())
    } else {
        None
    }
}

fn new() -> HeaderValue {
    let id = Uuid::new_v4().simple().to_string();
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, taken: bool) {
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_str(id).unwrap())]);
        assert_eq!(given(&headers).is_some(), taken, "{id:?}");
    }

    #[test]
    fn a_malformed_id_is_replaced() {
        check("a-1_b.c:d", true);
        check("", false);
        check("a b", false);
        check("a\"b", false);
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
        assert_eq!(given(&HeaderMap::new()), None);
        assert_ne!(new(), new());
    }
}
