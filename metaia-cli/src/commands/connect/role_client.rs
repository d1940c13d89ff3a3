//! One connected role of `metaia connect`: carries out commands, and labels its updates.

use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use futures_util::Stream;
use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, JoinError, SendError, Update, Updates};
use serde_json::{Value, json};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::action::Action;
use super::result::{CommandResult, Unsuccessful, accepted};
use super::rooms::Rooms;

/// The client of one role.
#[derive(Debug, Clone)]
pub(super) struct RoleClient {
    /// `ROLE:USER`.
    pub(super) label: String,
    pub(super) client: Client,
    pub(super) rooms: Rooms,
    /// True from `/cut` or `/offline` until `/back`.
    pub(super) is_away: bool,
}

impl RoleClient {
    /// Carries out an action. Returns `None` for one without an answer.
    pub(super) async fn run(&self, action: &Action, timeout: Duration) -> Option<CommandResult> {
        let answer = if self.is_away {
            Err(Unsuccessful::away())
        } else {
            match action {
                Action::Join(order) => self.join(order, timeout).await,
                Action::Leave(order) => self.leave(order, timeout).await,
                Action::Emit(event, data) => self.emit(event, data, timeout).await,
                Action::Drop => {
                    self.client.drop_transport().await;
                    return None;
                }
            }
        };
        Some(CommandResult::new(&self.label, action.to_string(), answer))
    }

    async fn join(&self, order: &OrderId, timeout: Duration) -> Result<Value, Unsuccessful> {
        let joined = in_time(timeout, self.client.join_order(order.as_str())).await?;
        let room = &joined.room;
        self.rooms
            .answered("join_order_room", &json!({"room": room}));
        Ok(json!({
            "room": room,
            "recovered": joined.recovered,
            "replayed": joined.replayed,
        }))
    }

    async fn leave(&self, order: &OrderId, timeout: Duration) -> Result<Value, Unsuccessful> {
        let room = format!("order-{order}");
        let was_in_room = self.rooms.contain_order(order);
        in_time(timeout, self.client.leave_order(order.as_str())).await?;
        self.rooms
            .answered("leave_order_room", &json!({"room": room}));
        Ok(if was_in_room {
            json!("left")
        } else {
            json!(format!("was not in {room}"))
        })
    }

    async fn emit(
        &self,
        event: &str,
        data: &Value,
        timeout: Duration,
    ) -> Result<Value, Unsuccessful> {
        let answer = self.client.emit_with_ack(event, data, timeout).await?;
        let answer = accepted(answer)?;
        self.rooms.answered(event, &answer);
        Ok(answer)
    }
}

/// Limits the time of a join or a leave, as `--timeout` says.
async fn in_time<T>(
    timeout: Duration,
    answer: impl Future<Output = Result<T, JoinError>>,
) -> Result<T, JoinError> {
    let answered = tokio::time::timeout(timeout, answer).await;
    answered.unwrap_or(Err(SendError::Timeout(timeout).into()))
}

/// The updates of one role, each with the role's number, until they are stopped. Then they are
/// dropped, which ends a connection without a DISCONNECT.
pub(super) struct NumberedUpdates {
    number: usize,
    updates: Updates,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl NumberedUpdates {
    pub(super) fn new(number: usize, updates: Updates, stop: CancellationToken) -> Self {
        Self {
            number,
            updates,
            stopped: Box::pin(stop.cancelled_owned()),
        }
    }
}

impl Stream for NumberedUpdates {
    type Item = (usize, Update);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        if self.stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        let number = self.number;
        Pin::new(&mut self.updates)
            .poll_next(cx)
            .map(|update| update.map(|update| (number, update)))
    }
}
