//! Joins and leaves order rooms, and remembers them for the next connection.

use std::time::Duration;

use serde_json::{Value, json};

use super::{error::JoinError, handle::Client};

/// The time that a join or leave may take.
const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// The server's answer to a join.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The room's name.
    pub room: String,
    /// Set if the server continued from the position given with the join. `false` for a join
    /// without a position: reload by REST, the room is live from now on.
    pub recovered: bool,
    /// The number of missed events of the room that were sent before the answer.
    pub replayed: u64,
}

impl Client {
    /// Joins the room of an order, now and at every later connection.
    ///
    /// Waits at most 10 s for the answer.
    ///
    /// # Errors
    /// [`JoinError::Refused`] with the server's code; [`JoinError::Unexpected`] or
    /// [`JoinError::Emit`] if there is no valid answer. The room is not remembered then.
    ///
    /// # Cancel safety
    /// After the future was dropped it is unknown whether the room was joined.
    pub async fn join_order(&self, order: &str) -> Result<Joined, JoinError> {
        self.join(order, json!(order)).await
    }

    /// Joins the room of an order and asks for its events after `position`.
    ///
    /// # Errors
    /// The same as [`join_order`](Self::join_order).
    pub async fn join_order_since(&self, order: &str, position: &str) -> Result<Joined, JoinError> {
        self.join(order, json!({"orderId": order, "since": position}))
            .await
    }

    /// Leaves the room of an order. The client forgets the room even if there is no answer.
    ///
    /// # Errors
    /// The same as [`join_order`](Self::join_order).
    pub async fn leave_order(&self, order: &str) -> Result<(), JoinError> {
        self.state().resume().left(order);
        let answer = self
            .emit_with_ack("leave_order_room", order, ACK_TIMEOUT)
            .await?;
        parse_answer(answer)?;
        Ok(())
    }

    async fn join(&self, order: &str, request: Value) -> Result<Joined, JoinError> {
        let answer = self
            .emit_with_ack("join_order_room", request, ACK_TIMEOUT)
            .await?;
        let joined = parse_answer(answer)?;
        self.state().resume().joined(order);
        Ok(joined)
    }
}

fn parse_answer(answer: Value) -> Result<Joined, JoinError> {
    let text = |member: &str| answer.get(member).and_then(Value::as_str);
    match (text("status"), text("room"), text("code")) {
        (Some("ok"), Some(room), _) => Ok(Joined {
            room: room.to_owned(),
            recovered: answer
                .get("recovered")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            replayed: answer.get("replayed").and_then(Value::as_u64).unwrap_or(0),
        }),
        (Some("error"), _, Some(code)) => Err(JoinError::Refused(code.to_owned())),
        _ => Err(JoinError::Unexpected(answer.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_answer_are_told_apart() {
        let ok = json!({"status": "ok", "room": "order-o1", "recovered": true, "replayed": 2});
        let joined = Joined {
            room: "order-o1".into(),
            recovered: true,
            replayed: 2,
        };
        assert_eq!(parse_answer(ok), Ok(joined));
        let refused = json!({"status": "error", "code": "forbidden"});
        assert_eq!(
            parse_answer(refused),
            Err(JoinError::Refused("forbidden".into()))
        );
        assert_eq!(
            parse_answer(json!(1)),
            Err(JoinError::Unexpected("1".into()))
        );
    }
}
