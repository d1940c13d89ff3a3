//! The renewal of a connection's token: when the server says that it expires soon (`rt:expiring`),
//! the application is asked for credentials again, and the new token is sent by `rt:refresh`.
//!
//! At the edges: an application that still returns the same token is asked again when half of the
//! rest of its life is over, and so is one that returns an error, or a server that cannot take the
//! token at the moment. After a refusal for another reason the connection ends with its token. So
//! does a connection to a server that says nothing.

use std::time::Duration;

use futures_util::future::{BoxFuture, OptionFuture};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use super::command::ClientCommand;
use crate::{
    client::{
        error::{RefreshError, SendError},
        options::CredentialsProvider,
        refresh::{ACK_TIMEOUT, REFRESH, parse_answer},
        transport::error_chain,
    },
    values::time::unix_ms,
};

/// The event by which the server says that the token expires soon.
pub(super) const EXPIRING: &str = "rt:expiring";

/// The bounds of the pause before the application is asked again.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The time after a renewal in which an `rt:expiring` shows that the tokens have short lives.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The renewal of one connection's token.
pub(crate) struct TokenRenewal {
    /// `None` if the client is not to renew its token.
    provider: Option<CredentialsProvider>,
    commands: mpsc::Sender<ClientCommand>,
    /// The token that the server has.
    token: Option<String>,
    /// The end of the token, as the server said, in Unix milliseconds.
    expires_at: i64,
    renewed_at: Option<Instant>,
    renewing: OptionFuture<BoxFuture<'static, RenewalResult>>,
}

/// The result of one attempt.
enum RenewalResult {
    Renewed(String),
    /// Another attempt may succeed.
    Retry,
    GaveUp,
}

impl TokenRenewal {
    /// Returns the renewal of a connection that was made with `token`.
    pub(crate) fn new(
        provider: Option<CredentialsProvider>,
        commands: mpsc::Sender<ClientCommand>,
        token: Option<String>,
    ) -> Self {
        Self {
            provider,
            commands,
            token,
            expires_at: 0,
            renewed_at: None,
            renewing: None.into(),
        }
    }

    /// Begins, since the server says that the token expires soon.
    pub(super) fn begin(&mut self, expiring: &Value) {
        let expires_at = expiring.get("expiresAt").and_then(Value::as_i64);
        self.expires_at = expires_at.unwrap_or_default();
        let is_short = self.renewed_at.is_some_and(|at| at.elapsed() < AT_ONCE);
        let pause = if is_short {
            self.pause()
        } else {
            Duration::ZERO
        };
        self.attempt_after(pause);
    }

    /// Returns half of the rest of the token's life, within bounds: the clocks may differ.
    fn pause(&self) -> Duration {
        let left_ms = self.expires_at.saturating_sub(unix_ms());
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        (left / 2).clamp(MIN_PAUSE, MAX_PAUSE)
    }

    fn attempt_after(&mut self, pause: Duration) {
        let Some(provider) = self.provider.clone() else {
            return;
        };
        let commands = self.commands.clone();
        let token = self.token.clone();
        let attempt = async move {
            sleep(pause).await;
            attempt(&provider, &commands, token.as_deref()).await
        };
        self.renewing = Some(Box::pin(attempt) as BoxFuture<'static, _>).into();
    }

    /// Waits for the end of an attempt, and acts on it. Returns `None` at once if none is under
    /// way. Cancel safe.
    pub(super) async fn step(&mut self) -> Option<()> {
        let result = (&mut self.renewing).await?;
        self.renewing = None.into();
        match result {
            RenewalResult::Renewed(token) => {
                self.token = Some(token);
                self.renewed_at = Some(Instant::now());
            }
            RenewalResult::Retry => self.attempt_after(self.pause()),
            RenewalResult::GaveUp => {}
        }
        Some(())
    }
}

/// Asks for credentials, and sends their token if the server does not have it.
async fn attempt(
    provider: &CredentialsProvider,
    commands: &mpsc::Sender<ClientCommand>,
    known: Option<&str>,
) -> RenewalResult {
    let credentials = match timeout(ACK_TIMEOUT, provider()).await {
        Ok(Ok(credentials)) => credentials,
        Ok(Err(error)) => {
            let error = error_chain(&*error);
            tracing::warn!(error, "no credentials to renew the token with");
            return RenewalResult::Retry;
        }
        Err(_) => return RenewalResult::Retry,
    };
    let Some(token) = credentials.into_token() else {
        return RenewalResult::GaveUp;
    };
    if known == Some(&*token) {
        return RenewalResult::Retry;
    }
    match send(commands, &token).await {
        Ok(()) => RenewalResult::Renewed(token),
        Err(error) => {
            tracing::warn!(%error, "the token was not renewed");
            match error {
                RefreshError::Refused(code) if code != "unavailable" && code != "rate_limited" => {
                    RenewalResult::GaveUp
                }
                _ => RenewalResult::Retry,
            }
        }
    }
}

/// Sends the token, and waits for the answer.
async fn send(commands: &mpsc::Sender<ClientCommand>, token: &str) -> Result<(), RefreshError> {
    let answered = ClientCommand::round_trip(commands, |done| ClientCommand::EmitWithAck {
        name: REFRESH.to_owned(),
        args: vec![json!({ "token": token })],
        done,
    });
    let answer = timeout(ACK_TIMEOUT, answered)
        .await
        .unwrap_or(Err(SendError::Timeout(ACK_TIMEOUT)))?;
    parse_answer(&answer.into_first()?)?;
    Ok(())
}
