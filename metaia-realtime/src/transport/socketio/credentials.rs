//! The credentials and requests that a client sends in the handshake and in CONNECT.

use http::{HeaderMap, Uri};
use serde_json::Value;

use super::query::query_parameter;
use crate::{
    auth::{Credentials, bearer_token},
    session::ConnectRequest,
    values::DeviceId,
};

/// The members of `auth` that this version reads. All are optional, and a member of the wrong type
/// counts as absent, except for the token.
#[derive(Debug, Default)]
pub(super) struct ConnectAuth {
    pub(super) token: AuthToken,
    pub(super) device: Option<DeviceId>,
    pub(super) request: ConnectRequest,
    /// Set if the session is to send no event until `rt:resume`.
    pub(super) hold: bool,
}

/// `auth.token`.
#[derive(Debug, Default)]
pub(super) enum AuthToken {
    /// It is not there, null or empty: apps that have no token yet send such ones.
    #[default]
    Absent,
    Text(String),
    /// Something else. The client means a token, so that no other one takes its place.
    NoText,
}

impl AuthToken {
    fn read(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::String(text)) if text.is_empty() => Self::Absent,
            Some(Value::String(text)) => Self::Text(text.clone()),
            Some(_) => Self::NoText,
        }
    }
}

impl ConnectAuth {
    pub(super) fn read(auth: &Value) -> Self {
        let member = |name| auth.get(name).filter(|value| !value.is_null());
        let text = |name| member(name).and_then(Value::as_str);
        Self {
            token: AuthToken::read(auth.get("token")),
            device: text("device").and_then(|device| device.parse().ok()),
            request: ConnectRequest::read(auth),
            hold: member("hold").is_some_and(|hold| *hold == true || *hold == "true"),
        }
    }
}

/// Returns the bearer token as credentials. `auth.token` wins over the token of the handshake. If
/// the winner is not text or has more than `max_bytes`, there are no credentials.
pub(super) fn bearer_credentials(
    auth: &ConnectAuth,
    of_handshake: Option<&str>,
    max_bytes: usize,
) -> Credentials {
    let token = match &auth.token {
        AuthToken::Text(token) => Some(&**token),
        AuthToken::NoText => None,
        AuthToken::Absent => of_handshake,
    };
    Credentials::bearer(token.filter(|token| token.len() <= max_bytes))
}

/// Returns the token of a handshake: of its header, otherwise of its query if that is allowed.
pub(super) fn handshake_token<'a>(
    headers: &'a HeaderMap,
    uri: &'a Uri,
    token_in_query: bool,
) -> Option<&'a str> {
    let in_query = || query_parameter(uri.query(), "token").filter(|_| token_in_query);
    bearer_token(headers).or_else(in_query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(header: &str) -> http::request::Parts {
        http::Request::get("/socket.io/?EIO=4&token=q")
            .header("Authorization", header)
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[track_caller]
    fn check(header: &str, auth: Value, token_in_query: bool, expected: Option<&str>) {
        let auth = ConnectAuth::read(&auth);
        let parts = parts(header);
        let of_handshake = handshake_token(&parts.headers, &parts.uri, token_in_query);
        let found = bearer_credentials(&auth, of_handshake, 10);
        assert_eq!(found.token.as_deref(), expected);
    }

    #[test]
    fn the_payload_wins_over_the_header_and_that_over_the_query() {
        check("Bearer h", json!({ "token": "p" }), true, Some("p"));
        check("bearer h", json!({}), true, Some("h"));
        check("Basic h", json!(null), true, Some("q"));
    }

    #[test]
    fn an_empty_token_counts_as_absent_and_a_bad_one_does_not() {
        for absent in [json!(null), json!("")] {
            check("Bearer h", json!({ "token": absent }), false, Some("h"));
            check("Basic h", json!({ "token": absent }), true, Some("q"));
            check("Basic h", json!({ "token": absent }), false, None);
        }
        check("Bearer h", json!({ "token": " " }), true, Some(" "));
        check("Bearer h", json!({ "token": "eleven-byte" }), true, None);
        for bad in [json!(7), json!(true), json!(["h"]), json!({}), json!(0)] {
            check("Bearer h", json!({ "token": bad }), true, None);
        }
    }

    #[test]
    fn a_token_beyond_the_limit_counts_as_absent() {
        check("Bearer ten--bytes", json!([]), false, Some("ten--bytes"));
        check("Bearer eleven-byte", json!([]), false, None);
    }

    #[test]
    fn members_of_a_wrong_type_count_as_absent() {
        let auth = ConnectAuth::read(&json!({ "device": {}, "hold": 1 }));
        assert_eq!((auth.device, auth.hold), (None, false));
        let auth = ConnectAuth::read(&json!({ "device": "d1", "hold": "true" }));
        assert_eq!(
            (auth.device, auth.hold),
            (Some("d1".parse().unwrap()), true)
        );
    }
}
