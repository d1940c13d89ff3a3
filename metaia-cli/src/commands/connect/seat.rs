//! One role at the table of `metaia connect`.

use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use futures_util::Stream;
use metaia_realtime::client::{Client, JoinError, SendError, Update, Updates};
use serde::Serialize;
use serde_json::{Value, json};

use super::line::{Order, Payload};
use crate::exit::Failure;
use crate::payload_args as items;
use crate::printer::{Paint, Report};

pub(super) struct Seat {
    pub(super) label: String,
    pub(super) client: Client,
}

/// What came of an order.
#[derive(Debug, Serialize)]
pub(super) struct Reply {
    #[serde(rename = "as")]
    who: String,
    command: String,
    ok: bool,
    answer: Value,
}

impl Seat {
    /// Does what a line asks; what has no answer gives no reply.
    pub(super) async fn obey(
        &self,
        order: &Order,
        timeout: Duration,
    ) -> Result<Option<Reply>, Failure> {
        let (command, answer) = match order {
            Order::Join(id) => (
                format!("join {id}"),
                joined(self.client.join_order(id).await),
            ),
            Order::Leave(id) => (
                format!("leave {id}"),
                self.client
                    .leave_order(id)
                    .await
                    .map(|()| json!("left"))
                    .map_err(text),
            ),
            Order::Emit(event, payload) => {
                let asked = self
                    .client
                    .emit_with_ack(event, data(payload)?, timeout)
                    .await;
                (
                    format!("emit {event}"),
                    asked.map_err(|error: SendError| error.to_string()),
                )
            }
            Order::Drop => {
                self.client.drop_transport().await;
                return Ok(None);
            }
            Order::Nothing | Order::Wait(_) | Order::Help | Order::Quit => return Ok(None),
        };
        let (ok, answer) = match answer {
            Ok(answer) => (true, answer),
            Err(reason) => (false, Value::String(reason)),
        };
        Ok(Some(Reply {
            who: self.label.clone(),
            command,
            ok,
            answer,
        }))
    }
}

fn joined(answer: Result<metaia_realtime::client::Joined, JoinError>) -> Result<Value, String> {
    answer
        .map(
            |joined| json!({"room": joined.room, "recovered": joined.recovered, "replayed": joined.replayed}),
        )
        .map_err(text)
}

fn text(error: JoinError) -> String {
    match error {
        JoinError::Emit(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn data(payload: &Payload) -> Result<Value, Failure> {
    match payload {
        Payload::Word(word) => Ok(Value::from(word.as_str())),
        Payload::Items(items) => items::payload(items),
    }
}

impl Report for Reply {
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
        format!("{}  {}: {outcome} {answer}", self.who, self.command)
    }
}

/// The updates of one seat, with its name on each.
pub(super) struct Labelled {
    label: String,
    updates: Updates,
}

impl Labelled {
    pub(super) fn new(label: &str, updates: Updates) -> Self {
        Self {
            label: label.to_owned(),
            updates,
        }
    }
}

impl Stream for Labelled {
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
    fn a_reply_says_who_what_and_how_it_went() {
        let reply = Reply {
            who: "tailor:t1".into(),
            command: "join o1".into(),
            ok: false,
            answer: json!("refused: forbidden"),
        };
        insta::assert_snapshot!(reply.text(Paint::PLAIN), @"tailor:t1  join o1: failed refused: forbidden");
        insta::assert_snapshot!(serde_json::to_string(&reply).unwrap(), @r#"{"as":"tailor:t1","command":"join o1","ok":false,"answer":"refused: forbidden"}"#);
    }
}
