//! The updates that a client receives: events, and changes of its connection.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    args::{to_args, to_json},
    error::{ConnectError, DisconnectReason, GaveUp, SendError},
    options::Transport,
    session::ClientCommand,
};

/// An event, or a change of the connection. The updates of a client are in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// The server accepted the CONNECT.
    Connected(Connected),
    /// The session was upgraded from polling to a WebSocket.
    Upgraded,
    /// The upgrade to a WebSocket failed; the text says how. The session stays with polling, and
    /// loses nothing.
    UpgradeFailed(String),
    /// `rt:ready`: the missed events have been sent, and those that follow are live. Only servers
    /// of this project send it.
    Ready(Ready),
    /// An event. `rt:error` and other control events are among them.
    Event(ReceivedEvent),
    /// An event that is larger than
    /// [`ClientBuilder::max_message`](super::ClientBuilder::max_message) was not taken. Reload by
    /// REST what it may have been about. The events after it follow.
    TooLarge {
        /// Its position; `None` for an event that is not stored, or of another server.
        at: Option<String>,
    },
    /// `rt:reset`: the server cannot continue from the position that was sent. Reload by REST; the
    /// events that follow continue from `at`.
    Reset(Reset),
    /// `rt:end`: the server ends the session, and says why.
    /// [`Disconnected`](Self::Disconnected) follows.
    End(ServerEnd),
    /// The connection ended. [`Retrying`](Self::Retrying) or [`GaveUp`](Self::GaveUp) follows, or
    /// the end of the updates.
    Disconnected(DisconnectReason),
    /// Another attempt will be made.
    Retrying(Retrying),
    /// No other attempt will be made. This is the last update.
    GaveUp(GaveUp),
}

/// An accepted CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connected {
    /// The transport in use. A connection that begins with polling may be upgraded later:
    /// [`Update::Upgraded`].
    pub transport: Transport,
    /// The number of connections that this client had before.
    pub reconnects: u64,
    /// The position that was sent as `auth.since`.
    pub since: Option<String>,
}

/// The payload of `rt:ready`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ready {
    /// The id of the user.
    pub user_id: String,
    /// The user's role.
    pub role: String,
    /// Every room that the session is in.
    pub rooms: Vec<String>,
    /// Set if the server continued from the position that was sent.
    pub recovered: bool,
    /// The number of missed events that were sent.
    pub replayed: u64,
    /// The position from which the session is live.
    pub at: Option<String>,
    /// The whole payload.
    pub data: Value,
}

/// The payload of `rt:reset`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reset {
    /// `epoch_changed`, `too_old`, `ahead` or `malformed`.
    pub reason: String,
    /// The position from which events continue.
    pub at: Option<String>,
}

/// The payload of `rt:end`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerEnd {
    /// `kicked`, `too_many_sessions`, `replaced`, `token_expired`, `token_revoked`,
    /// `rate_limited`, `draining` or `unavailable`.
    pub code: String,
}

/// The next attempt to connect.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Retrying {
    /// The number of the attempt since the last session that was ready, from 1.
    pub attempt: u32,
    /// The time that the client waits before it.
    pub delay: Duration,
    /// The error of the attempt before it; `None` directly after a connection was lost.
    pub error: Option<Arc<ConnectError>>,
}

/// One event from the server.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReceivedEvent {
    /// Its name.
    pub name: String,
    /// Its first argument, or `null` if it has none. Stored events carry the server's member `_rt`
    /// in it.
    pub data: Value,
    /// Its further arguments. Servers of this project never send any.
    pub more: Vec<Value>,
    /// Its binary attachments, to which `{"_placeholder": true, "num": n}` in the arguments refers.
    pub attachments: Vec<Bytes>,
    /// `_rt.id`: the same for every copy of the event.
    pub id: Option<String>,
    /// `_rt.at`: its position, for `since`.
    pub at: Option<String>,
    /// `_rt.ts`: the time of its commit, in Unix milliseconds of the server's clock.
    pub ts: Option<i64>,
    /// The time when it was read from the connection, in Unix milliseconds of this machine's clock.
    pub received_at: i64,
    /// The same time on the monotonic clock.
    pub received: Instant,
    /// The way to acknowledge the event, if the server asked for an acknowledgement.
    pub ack: Option<Responder>,
}

impl ReceivedEvent {
    /// Returns the milliseconds from commit to receipt. Between machines this includes the
    /// difference of their clocks and may be negative.
    #[must_use]
    pub fn latency_ms(&self) -> Option<i64> {
        self.ts.map(|ts| self.received_at.saturating_sub(ts))
    }

    /// Returns whether the event is one of the system's own (`rt:…`).
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.name.starts_with("rt:")
    }
}

/// Acknowledges one event. If it is dropped, the server receives no acknowledgement.
#[derive(Debug, Clone)]
pub struct Responder {
    pub(crate) id: u64,
    pub(crate) connection: u64,
    pub(crate) commands: mpsc::Sender<ClientCommand>,
}

impl Responder {
    /// Sends the acknowledgement with one argument.
    ///
    /// # Errors
    /// [`SendError::NotConnected`] if the connection that carried the event has ended,
    /// [`SendError::Closed`], [`SendError::NotJson`].
    ///
    /// # Cancel safety
    /// The acknowledgement is sent as a whole or not at all.
    pub async fn respond(self, answer: impl Serialize) -> Result<(), SendError> {
        self.send(vec![to_json(answer)?]).await
    }

    /// Sends the acknowledgement with any number of arguments: each element of a tuple, an array
    /// or a `Vec` is one, `()` stands for none.
    ///
    /// # Errors
    /// The same as [`respond`](Self::respond), and [`SendError::NotAList`].
    ///
    /// # Cancel safety
    /// The same as [`respond`](Self::respond).
    pub async fn respond_args(self, args: impl Serialize) -> Result<(), SendError> {
        self.send(to_args(args)?).await
    }

    async fn send(self, args: Vec<Value>) -> Result<(), SendError> {
        let Self {
            id,
            connection,
            commands,
        } = self;
        ClientCommand::round_trip(&commands, |done| ClientCommand::Ack {
            connection,
            id,
            args,
            done,
        })
        .await
    }
}

/// The members of `_rt`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Stamp {
    pub(crate) id: Option<String>,
    pub(crate) at: Option<String>,
    pub(crate) ts: Option<i64>,
}

impl Stamp {
    pub(crate) fn from_data(data: &Value) -> Self {
        let Some(rt) = data.get("_rt") else {
            return Self::default();
        };
        let text = |member: &str| rt.get(member).and_then(Value::as_str).map(str::to_owned);
        Self {
            id: text("id"),
            at: text("at"),
            ts: rt.get("ts").and_then(Value::as_i64),
        }
    }
}

impl Ready {
    pub(crate) fn from_data(data: Value) -> Self {
        let text = |member: &str| {
            data.get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let rooms = data
            .get("rooms")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        Self {
            user_id: text("userId"),
            role: text("role"),
            rooms: rooms
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            recovered: data
                .get("recovered")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            replayed: data.get("replayed").and_then(Value::as_u64).unwrap_or(0),
            at: Stamp::from_data(&data).at,
            data,
        }
    }
}

impl ServerEnd {
    pub(crate) fn from_data(data: &Value) -> Self {
        let code = data.get("code").and_then(Value::as_str);
        Self {
            code: code.unwrap_or_default().to_owned(),
        }
    }
}

impl Reset {
    pub(crate) fn from_data(data: &Value) -> Self {
        let reason = data
            .get("reason")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Self {
            reason,
            at: Stamp::from_data(data).at,
        }
    }
}
