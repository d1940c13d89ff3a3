//! `rt:sync`: asks a server of this project for a fence.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::SyncError, handle::Client};

/// The time that an answer may take. The server refuses a request after 10 s.
const ACK_TIMEOUT: Duration = Duration::from_secs(15);

/// The server's answer to [`Client::sync`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Synced {
    /// The position up to which the log is covered.
    pub at: String,
    /// The rooms that are covered: those that the session was in at the request.
    pub rooms: Vec<String>,
    /// The number of times that this session was told to reload. Each connection has a session of
    /// its own.
    pub resets: u64,
}

impl Client {
    /// Waits until everything that was committed before the call, in the rooms of this client, has
    /// been handed over, or never will be. It is among the updates then, before everything that
    /// comes later.
    ///
    /// Volatile events, events whose name begins with `rt:`, and what is committed later are not
    /// covered. If the client was told to reload since an earlier fence, `resets` is greater than
    /// it was then.
    ///
    /// ```no_run
    /// # async fn example(client: metaia_realtime::client::Client)
    /// # -> Result<(), metaia_realtime::client::SyncError> {
    /// let before = client.sync().await?;
    /// // Change something that is not for this client.
    /// let after = client.sync().await?;
    /// assert_eq!(after.resets, before.resets);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SyncError::Refused`] with the server's code: `unavailable` after 10 s, `rate_limited` if 8
    /// requests wait. [`SyncError::Emit`] also if the connection ends before the answer comes.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting.
    pub async fn sync(&self) -> Result<Synced, SyncError> {
        let answer = self
            .emit_with_ack("rt:sync", json!({}), ACK_TIMEOUT)
            .await?;
        parse_answer(&answer)
    }
}

fn parse_answer(answer: &Value) -> Result<Synced, SyncError> {
    let text = |member: &str| answer.get(member).and_then(Value::as_str);
    let unexpected = || SyncError::Unexpected(answer.to_string());
    match (text("status"), text("code")) {
        (Some("ok"), _) => Synced::deserialize(answer).map_err(|_| unexpected()),
        (Some("error"), Some(code)) => Err(SyncError::Refused(code.to_owned())),
        _ => Err(unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_answer_are_told_apart() {
        let ok = json!({"status": "ok", "at": "x-y.7", "rooms": ["user-c1"], "resets": 1});
        let synced = Synced {
            at: "x-y.7".into(),
            rooms: vec!["user-c1".into()],
            resets: 1,
        };
        assert_eq!(parse_answer(&ok), Ok(synced));
        let refused = json!({"status": "error", "code": "unavailable"});
        assert_eq!(
            parse_answer(&refused),
            Err(SyncError::Refused("unavailable".into()))
        );
        for strange in [json!(null), json!({"status": "ok", "at": 7}), json!("ok")] {
            assert!(matches!(
                parse_answer(&strange),
                Err(SyncError::Unexpected(_))
            ));
        }
    }
}
