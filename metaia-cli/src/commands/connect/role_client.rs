//! One connected role of `metaia connect`: runs commands, and labels its updates.

use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use futures_util::Stream;
use metaia_realtime::client::{Client, JoinError, Update, Updates};
use serde::Serialize;
use serde_json::{Value, json};

use super::command::{Command, EmitPayload};
use crate::exit::Failure;
use crate::payload_args;
use crate::printer::{Paint, Report};

/// The client of one role.
pub(super) struct RoleClient {
    /// `ROLE:USER`.
    pub(super) label: String,
    pub(super) client: Client,
}

/// The result of a command for one role.
#[derive(Debug, Serialize)]
pub(super) struct CommandResult {
    #[serde(rename = "as")]
    actor: String,
    command: String,
    ok: bool,
    answer: Value,
}

impl RoleClient {
    /// Runs a command. Returns `None` for commands without an answer.
    ///
    /// # Errors
    ///
    /// Returns a failure if the file of a payload cannot be used. A refusal by the server is a
    /// result.
    pub(super) async fn run(
        &self,
        command: &Command,
        timeout: Duration,
    ) -> Result<Option<CommandResult>, Failure> {
        let result = match command {
            Command::Join(order) => self.join(order).await,
            Command::Leave(order) => self.leave(order).await,
            Command::Emit(event, payload) => self.emit(event, payload, timeout).await?,
            Command::Drop => {
                self.client.drop_transport().await;
                return Ok(None);
            }
            Command::Nothing | Command::Wait(_) | Command::Help | Command::Quit => return Ok(None),
        };
        Ok(Some(result))
    }

    async fn join(&self, order: &str) -> CommandResult {
        let answer = match self.client.join_order(order).await {
            Ok(joined) => Ok(json!({
                "room": joined.room,
                "recovered": joined.recovered,
                "replayed": joined.replayed,
            })),
            Err(error) => Err(join_error(&error)),
        };
        self.result(format!("join {order}"), answer)
    }

    async fn leave(&self, order: &str) -> CommandResult {
        let answer = match self.client.leave_order(order).await {
            Ok(()) => Ok(json!("left")),
            Err(error) => Err(join_error(&error)),
        };
        self.result(format!("leave {order}"), answer)
    }

    async fn emit(
        &self,
        event: &str,
        payload: &EmitPayload,
        timeout: Duration,
    ) -> Result<CommandResult, Failure> {
        let data = match payload {
            EmitPayload::Word(word) => Value::from(word.as_str()),
            EmitPayload::Args(args) => payload_args::payload(args)?,
        };
        let answer = self.client.emit_with_ack(event, data, timeout).await;
        let answer = answer.map_err(|error| error.to_string());
        Ok(self.result(format!("emit {event}"), answer))
    }

    fn result(&self, command: String, answer: Result<Value, String>) -> CommandResult {
        CommandResult {
            actor: self.label.clone(),
            command,
            ok: answer.is_ok(),
            answer: answer.unwrap_or_else(Value::String),
        }
    }
}

/// Formats the cause alone: the text of [`JoinError::Emit`] does not contain it.
fn join_error(error: &JoinError) -> String {
    match error {
        JoinError::Emit(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

impl Report for CommandResult {
    fn text(&self, paint: Paint) -> String {
        let outcome = if self.ok {
            paint.good("ok")
        } else {
            paint.bad("failed")
        };
        let answer = match &self.answer {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!("{}  {}: {outcome} {answer}", self.actor, self.command)
    }
}

/// The updates of one role, each with its label.
pub(super) struct LabelledUpdates {
    label: String,
    updates: Updates,
}

impl LabelledUpdates {
    pub(super) fn new(label: &str, updates: Updates) -> Self {
        Self {
            label: label.to_owned(),
            updates,
        }
    }
}

impl Stream for LabelledUpdates {
    type Item = (String, Update);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let label = self.label.clone();
        Pin::new(&mut self.updates)
            .poll_next(cx)
            .map(|update| update.map(|update| (label, update)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_shows_the_role_the_command_and_the_answer() {
        let result = CommandResult {
            actor: "tailor:t1".into(),
            command: "join o1".into(),
            ok: false,
            answer: json!("refused: forbidden"),
        };
        insta::assert_snapshot!(
            result.text(Paint::PLAIN),
            @"tailor:t1  join o1: failed refused: forbidden"
        );
        let json = concat!(
            r#"{"as":"tailor:t1","command":"join o1","ok":false,"#,
            r#""answer":"refused: forbidden"}"#,
        );
        assert_eq!(serde_json::to_string(&result).unwrap(), json);
    }
}
