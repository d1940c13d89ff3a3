//! What a client says of itself in the handshake and in CONNECT.

use http::{header::AUTHORIZATION, request::Parts};
use serde_json::Value;

use crate::{auth::Credentials, session::ConnectRequest, values::DeviceId};

/// The members of `auth` that this version reads. All are optional, and none is trusted to have the
/// right type.
#[derive(Debug, Default)]
pub(super) struct Hello {
    pub(super) token: Option<String>,
    pub(super) device: Option<DeviceId>,
    pub(super) wish: ConnectRequest,
    /// Nothing is to be handed over until `rt:resume`.
    pub(super) hold: bool,
}

impl Hello {
    pub(super) fn read(auth: &Value) -> Self {
        let member = |name| auth.get(name).filter(|value| !value.is_null());
        Self {
            token: member("token").and_then(Value::as_str).map(str::to_owned),
            device: member("device")
                .and_then(Value::as_str)
                .and_then(|device| device.parse().ok()),
            wish: ConnectRequest::read(auth),
            hold: member("hold").is_some_and(|hold| *hold == true || *hold == "true"),
        }
    }
}

/// The bearer token: `auth.token` wins over the header, the header over the query. Longer than
/// `limit`: none.
pub(super) fn credentials(
    parts: &Parts,
    hello: &Hello,
    in_query: bool,
    limit: usize,
) -> Credentials {
    let header = || {
        let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    };
    let query = || {
        if in_query {
            crate::transport::socketio::request::query(parts.uri.query(), "token")
        } else {
            None
        }
    };
    let token = hello.token.as_deref().or_else(header).or_else(query);
    Credentials::bearer(token.filter(|token| token.len() <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(header: &str) -> Parts {
        http::Request::get("/socket.io/?EIO=4&token=q")
            .header("Authorization", header)
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[track_caller]
    fn check(header: &str, auth: Value, in_query: bool, expected: Option<&str>) {
        let found = credentials(&parts(header), &Hello::read(&auth), in_query, 10);
        assert_eq!(found.token.as_deref(), expected);
    }

    #[test]
    fn the_payload_wins_over_the_header_and_that_over_the_query() {
        check("Bearer h", json!({ "token": "p" }), true, Some("p"));
        check("bearer h", json!({}), true, Some("h"));
        check("Basic h", json!(null), true, Some("q"));
        check("Basic h", json!({ "token": 7 }), false, None);
        check(
            "Bearer eleven-byte",
            json!([]),
            false,
            Some("eleven-byte").filter(|t| t.len() <= 10),
        );
    }

    #[test]
    fn members_of_a_wrong_type_count_as_not_there() {
        let hello = Hello::read(&json!({ "device": {}, "hold": 1 }));
        assert_eq!((hello.device, hello.hold), (None, false));
        let hello = Hello::read(&json!({ "device": "d1", "hold": "true" }));
        assert_eq!(
            (hello.device, hello.hold),
            (Some("d1".parse().unwrap()), true)
        );
    }
}
