//! The opening handshake of WebSocket (RFC 6455, 4.2).

use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Version,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The only version of the protocol.
const VERSION: &str = "13";

/// The reason why a request does not open a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHandshake {
    /// The request does not ask for a WebSocket.
    NoUpgrade,
    /// The request asks for another version of WebSocket.
    Version,
    /// The key is missing or malformed.
    Key,
}

/// Returns the `101` for a request that opens a WebSocket. The subprotocol that the client names
/// first is answered: Socket.IO has none, but a browser ends a WebSocket if none of those that it
/// offers is answered.
///
/// # Errors
/// Returns what is missing.
pub(in crate::transport::socketio) fn answer(
    request: &Request<()>,
) -> Result<Response<()>, BadHandshake> {
    let headers = request.headers();
    let asks = request.version() == Version::HTTP_11
        && has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &UPGRADE, "websocket");
    if !asks {
        return Err(BadHandshake::NoUpgrade);
    }
    let version = headers.get(SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != VERSION) {
        return Err(BadHandshake::Version);
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key.as_bytes()));
    let key = key.ok_or(BadHandshake::Key)?;
    let accept = derive_accept_key(key.as_bytes());
    let accept = HeaderValue::try_from(accept).map_err(|_| BadHandshake::Key)?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answered = response.headers_mut();
    answered.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answered.insert(UPGRADE, HeaderValue::from_static("websocket"));
    answered.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = first_protocol(headers) {
        answered.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(response)
}

/// Returns whether a header that lists tokens has this one.
fn has_token(headers: &HeaderMap, name: impl http::header::AsHeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|listed| listed.trim().eq_ignore_ascii_case(token))
}

/// Returns whether a key is 16 bytes in Base64.
fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key[..22].iter().all(is_base64) && key.ends_with(b"==")
}

fn first_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let first = offered
        .split(',')
        .map(str::trim)
        .find(|name| !name.is_empty())?;
    HeaderValue::from_str(first).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn request(changes: &[(&'static str, Option<&'static str>)]) -> Request<()> {
        let mut request = Request::new(());
        let headers = request.headers_mut();
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", VERSION),
            ("sec-websocket-key", KEY),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in changes {
            headers.remove(*name);
            if let Some(value) = value {
                headers.insert(*name, HeaderValue::from_static(value));
            }
        }
        request
    }

    #[test]
    fn the_answer_is_that_of_the_specification() {
        // The key and the answer are the example of RFC 6455, 1.3.
        let response = answer(&request(&[])).unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(
            response.headers()["sec-websocket-accept"],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert!(!response.headers().contains_key("sec-websocket-protocol"));
    }

    #[test]
    fn the_first_subprotocol_is_answered() {
        for offered in ["chat", "chat, v2", " chat ,v2", ",chat"] {
            let response = answer(&request(&[("sec-websocket-protocol", Some(offered))])).unwrap();
            assert_eq!(response.headers()["sec-websocket-protocol"], "chat");
        }
    }

    #[test]
    fn a_request_that_opens_no_websocket_is_told_what_is_missing() {
        use BadHandshake::{Key, NoUpgrade, Version};
        for (name, value, expected) in [
            ("upgrade", None, NoUpgrade),
            ("upgrade", Some("h2c"), NoUpgrade),
            ("connection", None, NoUpgrade),
            ("connection", Some("close"), NoUpgrade),
            ("sec-websocket-version", None, Version),
            ("sec-websocket-version", Some("8"), Version),
            ("sec-websocket-version", Some("13, 8"), Version),
            ("sec-websocket-key", None, Key),
            ("sec-websocket-key", Some(""), Key),
            ("sec-websocket-key", Some("c2hvcnQ="), Key),
            ("sec-websocket-key", Some("dGhlIHNhbXBsZSBub25jZQ=!"), Key),
            ("sec-websocket-key", Some("dGhlIHNhbXBsZSBub25j!Q=="), Key),
        ] {
            let answered = answer(&request(&[(name, value)])).map(|_| ());
            assert_eq!(answered, Err(expected), "{name}: {value:?}");
        }
        let mut old = request(&[]);
        *old.version_mut() = http::Version::HTTP_10;
        assert_eq!(answer(&old).map(|_| ()), Err(NoUpgrade));
    }
}
