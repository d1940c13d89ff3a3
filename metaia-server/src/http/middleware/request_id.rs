//! Every request has an id: the caller's `x-request-id` where it is well-formed, else a new one. It
//! goes back in the answer, into problem documents and into the log.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: HeaderValue;
}

/// The id of the request that this task is answering; empty outside of one.
pub(crate) fn current() -> String {
    CURRENT
        .try_with(|id| id.to_str().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

/// The middleware.
pub(crate) async fn assign(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(new);
    let mut response = CURRENT.scope(id.clone(), next.run(request)).await;
    response.headers_mut().insert(HEADER, id);
    response
}

/// 1 to 64 of `A-Za-z0-9_.:-`: what can stand in a log line without being mistaken for another one.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(HEADER)?;
    let fine = |b: &u8| b.is_ascii_alphanumeric() || b"_.:-".contains(b);
    ((1..=64).contains(&id.len()) && id.as_bytes().iter().all(fine)).then(|| id.clone())
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
