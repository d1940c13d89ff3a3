//! `rt:refresh`: lets the connection go on with another token.

use std::time::Duration;

use serde_json::{Value, json};

use super::{error::RefreshError, handle::Client};

/// The event.
pub(crate) const REFRESH: &str = "rt:refresh";

/// The time that an answer may take. The server waits for its authenticator and for its store.
pub(crate) const ACK_TIMEOUT: Duration = Duration::from_secs(30);

/// The server's answer to [`Client::refresh`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refreshed {
    /// The time when the new token expires, in Unix milliseconds; `None` if it does not expire.
    pub expires_at: Option<i64>,
}

impl Client {
    /// Sends a new token of the same user. The connection and its position stay, and end with the
    /// new token. If its role is another one, the session has left the room of the old role when
    /// this returns, and is in that of the new one.
    ///
    /// A client whose token was set by [`token`](super::ClientBuilder::token) connects with the new
    /// one from then on. A client whose credentials come from a
    /// [function](super::ClientBuilder::credentials) asks that function, and usually need not call
    /// this: it refreshes its token by itself.
    ///
    /// ```no_run
    /// # async fn example(client: metaia_realtime::client::Client, token: String)
    /// # -> Result<(), metaia_realtime::client::RefreshError> {
    /// let refreshed = client.refresh(token).await?;
    /// println!("until {:?}", refreshed.expires_at);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RefreshError::Refused`] with the server's code: the connection goes on with the old token,
    /// until that expires. [`RefreshError::Emit`] also if the connection ends before the answer
    /// comes.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting. The server may have taken the token, and the next
    /// connection is made with the one before.
    pub async fn refresh(&self, token: impl Into<String>) -> Result<Refreshed, RefreshError> {
        let token = token.into();
        let request = json!({ "token": token });
        let answer = self.emit_with_ack(REFRESH, request, ACK_TIMEOUT).await?;
        let refreshed = parse_answer(&answer)?;
        self.state().set_token(token);
        Ok(refreshed)
    }
}

/// Reads the answer to the event.
pub(crate) fn parse_answer(answer: &Value) -> Result<Refreshed, RefreshError> {
    let text = |member: &str| answer.get(member).and_then(Value::as_str);
    match (text("status"), text("code")) {
        (Some("ok"), _) => Ok(Refreshed {
            expires_at: answer.get("expiresAt").and_then(Value::as_i64),
        }),
        (Some("error"), Some(code)) => Err(RefreshError::Refused(code.to_owned())),
        _ => Err(RefreshError::Unexpected(answer.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_answer_are_told_apart() {
        let ok = json!({"status": "ok", "expiresAt": 7});
        let expires_at = parse_answer(&ok).map(|refreshed| refreshed.expires_at);
        assert_eq!(expires_at, Ok(Some(7)));
        let endless = json!({"status": "ok", "expiresAt": null});
        let expires_at = parse_answer(&endless).map(|refreshed| refreshed.expires_at);
        assert_eq!(expires_at, Ok(None));
        let refused = json!({"status": "error", "code": "forbidden"});
        let expected = RefreshError::Refused("forbidden".into());
        assert_eq!(parse_answer(&refused), Err(expected));
        let strange = parse_answer(&json!("ok"));
        assert!(matches!(strange, Err(RefreshError::Unexpected(_))));
    }
}
