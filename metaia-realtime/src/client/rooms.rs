//! Joining and leaving order rooms, and remembering them for the next connection.

use std::time::Duration;

use serde_json::{Value, json};

use super::error::JoinError;
use super::handle::Client;

/// How long a join or leave may take.
const ANSWER: Duration = Duration::from_secs(10);

/// What the server said to a join.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The room's name.
    pub room: String,
    /// Whether a position given with the join was honoured. `false` for a bare join: reload by
    /// REST, live from now.
    pub recovered: bool,
    /// How many missed events of the room were handed over before the answer.
    pub replayed: u64,
}

impl Client {
    /// Joins the room of an order, now and at every later connection.
    ///
    /// Waits up to 10 s. Dropping the future leaves it open whether the room was joined.
    ///
    /// # Errors
    /// [`JoinError::Refused`] with the server's code, or no answer. The room is then not
    /// remembered.
    pub async fn join_order(&self, order: &str) -> Result<Joined, JoinError> {
        self.join(order, json!(order)).await
    }

    /// Joins the room of an order and asks for its events after `position`.
    ///
    /// # Errors
    /// As [`join_order`](Self::join_order).
    pub async fn join_order_since(&self, order: &str, position: &str) -> Result<Joined, JoinError> {
        self.join(order, json!({"orderId": order, "since": position}))
            .await
    }

    /// Leaves the room of an order; it is forgotten whatever the answer is.
    ///
    /// # Errors
    /// As [`join_order`](Self::join_order).
    pub async fn leave_order(&self, order: &str) -> Result<(), JoinError> {
        self.shared().resume().left(order);
        let answer = self
            .emit_with_ack("leave_order_room", order, ANSWER)
            .await?;
        understand(answer).map(drop)
    }

    async fn join(&self, order: &str, question: Value) -> Result<Joined, JoinError> {
        let answer = self
            .emit_with_ack("join_order_room", question, ANSWER)
            .await?;
        let joined = understand(answer)?;
        self.shared().resume().joined(order);
        Ok(joined)
    }
}

fn understand(answer: Value) -> Result<Joined, JoinError> {
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
        assert_eq!(understand(ok), Ok(joined));
        let refused = json!({"status": "error", "code": "forbidden"});
        assert_eq!(
            understand(refused),
            Err(JoinError::Refused("forbidden".into()))
        );
        assert_eq!(understand(json!(1)), Err(JoinError::Unexpected("1".into())));
    }
}
