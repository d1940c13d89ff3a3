//! The handshake: credentials, an Engine.IO session, the CONNECT and its answer.

use serde_json::{Map, Value};

use crate::client::{
    error::{ConnectError, DisconnectReason},
    options::{ClientCredentials, ClientOptions},
    packet::{Body, EnginePacket, Handshake, SocketPacket},
    transport::{Endpoint, ServerLink, error_chain},
};

/// An open connection, whose CONNECT the server has accepted.
pub(crate) struct Opened {
    pub(crate) link: ServerLink,
    pub(crate) handshake: Handshake,
    /// The position that was sent.
    pub(crate) since: Option<String>,
    /// The token that was sent.
    pub(crate) token: Option<String>,
    /// The largest packet that the client takes, in bytes.
    pub(crate) max_message: usize,
}

/// Makes one connection. `refreshed` is the token of the last refresh. `add_resume` adds the
/// members of `auth` that continue from the last position. Dropping the future closes a partial
/// connection.
pub(crate) async fn open(
    options: &ClientOptions,
    refreshed: Option<String>,
    add_resume: impl FnOnce(&mut Map<String, Value>),
) -> Result<Opened, ConnectError> {
    let mut credentials = (options.provider)()
        .await
        .map_err(ConnectError::Credentials)?;
    if refreshed.is_some() && !options.has_function {
        credentials.token = refreshed;
    }
    let token = credentials.clone().into_token();
    let endpoint = endpoint(options, &credentials)?;
    let (mut link, handshake) = ServerLink::open(&endpoint, options.transport).await?;
    let mut auth = auth_payload(options, credentials);
    add_resume(&mut auth);
    let since = auth.get("since").and_then(Value::as_str).map(str::to_owned);
    let auth = if auth.is_empty() {
        None
    } else {
        Some(Value::Object(auth))
    };
    let connect = SocketPacket::main(Body::Connect(auth)).encode();
    link.send(&[EnginePacket::Message(connect)])
        .await
        .map_err(protocol_error)?;
    await_accepted(&mut link).await?;
    Ok(Opened {
        link,
        handshake,
        since,
        token,
        max_message: endpoint.max_message,
    })
}

fn endpoint(
    options: &ClientOptions,
    credentials: &ClientCredentials,
) -> Result<Endpoint, ConnectError> {
    match &credentials.token {
        Some(token) if options.token_in.includes_header() => options.endpoint.authorized(token),
        _ => Ok(options.endpoint.clone()),
    }
}

fn auth_payload(options: &ClientOptions, credentials: ClientCredentials) -> Map<String, Value> {
    let ClientCredentials { token, mut auth } = credentials;
    if let Some(token) = token
        && options.token_in.includes_payload()
    {
        auth.entry("token").or_insert(Value::String(token));
    }
    auth
}

/// Waits for the answer to the CONNECT. It is the first packet in the main namespace.
async fn await_accepted(link: &mut ServerLink) -> Result<(), ConnectError> {
    loop {
        match link.recv().await.map_err(protocol_error)? {
            EnginePacket::Ping(probe) => link
                .send(&[EnginePacket::Pong(probe)])
                .await
                .map_err(protocol_error)?,
            EnginePacket::Close => {
                return Err(ConnectError::Protocol(
                    "the server closed the session before it answered".to_owned(),
                ));
            }
            EnginePacket::Message(text) => {
                let packet = SocketPacket::decode(&text)
                    .map_err(|e| ConnectError::Protocol(error_chain(&e)))?;
                if packet.namespace == "/" {
                    return read_answer(packet.body);
                }
            }
            // Packets of other namespaces, and those without a meaning before the answer.
            _ => {}
        }
    }
}

fn read_answer(body: Body) -> Result<(), ConnectError> {
    match body {
        Body::Connect(_) => Ok(()),
        Body::ConnectError(error) => Err(refusal(error)),
        other => Err(ConnectError::Protocol(format!(
            "unexpected answer to CONNECT: {other:?}"
        ))),
    }
}

fn refusal(error: Value) -> ConnectError {
    let message = match error.get("message").unwrap_or(&error) {
        Value::String(message) => message.clone(),
        other => other.to_string(),
    };
    ConnectError::Refused {
        message,
        data: error.get("data").cloned(),
    }
}

fn protocol_error(error: impl Into<DisconnectReason>) -> ConnectError {
    ConnectError::Protocol(error.into().detail())
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
        } = refusal(error)
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
        assert!(read_answer(Body::Connect(None)).is_ok());
        assert!(matches!(
            read_answer(Body::Disconnect),
            Err(ConnectError::Protocol(_))
        ));
    }
}
