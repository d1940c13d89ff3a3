//! The handshake: credentials, an Engine.IO session, the CONNECT and its answer.

use serde_json::{Map, Value};

use super::super::error::{ConnectError, DisconnectReason};
use super::super::options::{Credentials, Options};
use super::super::packet::{Body, EnginePacket, Handshake, SocketPacket};
use super::super::resume::Resume;
use super::super::transport::{Endpoint, Link, chain};

/// What an accepted CONNECT leaves behind.
pub(crate) struct Opened {
    pub(crate) link: Link,
    pub(crate) handshake: Handshake,
    /// The position that was sent.
    pub(crate) since: Option<String>,
}

/// Makes one connection. Dropping the future drops what there is of it.
pub(crate) async fn open(
    options: &Options,
    resume: impl FnOnce(&mut Map<String, Value>),
) -> Result<Opened, ConnectError> {
    let credentials = (options.provider)()
        .await
        .map_err(ConnectError::Credentials)?;
    let endpoint = endpoint(options, &credentials)?;
    let (mut link, handshake) = Link::open(&endpoint, options.transport).await?;
    let mut auth = payload(options, credentials);
    resume(&mut auth);
    let since = auth.get("since").and_then(Value::as_str).map(str::to_owned);
    let auth = (!auth.is_empty()).then_some(Value::Object(auth));
    let connect = SocketPacket::main(Body::Connect(auth)).encode();
    link.send(&[EnginePacket::Message(connect)])
        .await
        .map_err(lost)?;
    accepted(&mut link).await?;
    Ok(Opened {
        link,
        handshake,
        since,
    })
}

impl Resume {
    /// What the next CONNECT adds to `auth`.
    pub(crate) fn filler(&self) -> impl FnOnce(&mut Map<String, Value>) + Send + use<> {
        let mut own = Map::new();
        self.fill(&mut own);
        move |auth| {
            for (member, value) in own {
                auth.entry(member).or_insert(value);
            }
        }
    }
}

fn endpoint(options: &Options, credentials: &Credentials) -> Result<Endpoint, ConnectError> {
    match &credentials.token {
        Some(token) if options.token_in.header() => options.endpoint.authorized(token),
        _ => Ok(options.endpoint.clone()),
    }
}

fn payload(options: &Options, credentials: Credentials) -> Map<String, Value> {
    let Credentials { token, mut auth } = credentials;
    if let Some(token) = token
        && options.token_in.payload()
    {
        auth.entry("token").or_insert(Value::String(token));
    }
    auth
}

/// Waits for the answer to the CONNECT. Nothing else comes before it in the main namespace.
async fn accepted(link: &mut Link) -> Result<(), ConnectError> {
    loop {
        match link.recv().await.map_err(lost)? {
            EnginePacket::Ping(probe) => link
                .send(&[EnginePacket::Pong(probe)])
                .await
                .map_err(lost)?,
            EnginePacket::Close => {
                return Err(ConnectError::Protocol(
                    "the server closed the session before it answered".to_owned(),
                ));
            }
            EnginePacket::Message(text) => {
                let packet =
                    SocketPacket::decode(&text).map_err(|e| ConnectError::Protocol(chain(&e)))?;
                if packet.namespace == "/" {
                    return answer(packet.body);
                }
            }
            _ => {}
        }
    }
}

fn answer(body: Body) -> Result<(), ConnectError> {
    match body {
        Body::Connect(_) => Ok(()),
        Body::ConnectError(error) => Err(refused(error)),
        other => Err(ConnectError::Protocol(format!(
            "CONNECT was answered by {other:?}"
        ))),
    }
}

fn refused(error: Value) -> ConnectError {
    let message = match error.get("message").unwrap_or(&error) {
        Value::String(message) => message.clone(),
        other => other.to_string(),
    };
    ConnectError::Refused {
        message,
        data: error.get("data").cloned(),
    }
}

fn lost(error: impl Into<DisconnectReason>) -> ConnectError {
    match error.into() {
        DisconnectReason::TransportClose(detail) | DisconnectReason::ParseError(detail) => {
            ConnectError::Protocol(detail)
        }
        other => ConnectError::Protocol(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(error: Value, expected: &str, data: Option<Value>) {
        let ConnectError::Refused {
            message,
            data: actual,
        } = refused(error)
        else {
            panic!("not a refusal")
        };
        assert_eq!((message.as_str(), actual), (expected, data));
    }

    #[test]
    fn refusals_of_every_server_are_read() {
        check(json!({"message": "token_expired"}), "token_expired", None);
        check(
            json!({"message": "no", "data": {"code": 1}}),
            "no",
            Some(json!({"code": 1})),
        );
        check(json!("Invalid namespace"), "Invalid namespace", None);
    }

    #[test]
    fn an_answer_other_than_yes_or_no_is_an_error() {
        assert!(answer(Body::Connect(None)).is_ok());
        assert!(matches!(
            answer(Body::Disconnect),
            Err(ConnectError::Protocol(_))
        ));
    }
}
