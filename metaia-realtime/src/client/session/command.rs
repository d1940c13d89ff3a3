//! What handles ask of the driver.

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::super::error::SendError;

/// How a command ended.
pub(crate) type Done<T> = oneshot::Sender<Result<T, SendError>>;

#[derive(Debug)]
pub(crate) enum Command {
    Emit {
        name: String,
        args: Vec<Value>,
        done: Done<()>,
    },
    Ask {
        name: String,
        args: Vec<Value>,
        done: Done<Value>,
    },
    /// `connection` is the one that carried the event: on another one the id would answer something
    /// else.
    Ack {
        connection: u64,
        id: u64,
        answer: Value,
        done: Done<()>,
    },
    DropTransport {
        done: Done<()>,
    },
}

impl Command {
    /// Hands a command to the driver and waits for its end.
    pub(crate) async fn round_trip<T>(
        commands: &mpsc::Sender<Self>,
        command: impl FnOnce(Done<T>) -> Self,
    ) -> Result<T, SendError> {
        let (done, result) = oneshot::channel();
        commands
            .send(command(done))
            .await
            .map_err(|_| SendError::Closed)?;
        result.await.unwrap_or(Err(SendError::Closed))
    }

    /// Ends the command without having done it. Nobody listening any more is no failure.
    pub(crate) fn refuse(self, error: SendError) {
        let _ = match self {
            Self::Ask { done, .. } => done.send(Err(error)).is_ok(),
            Self::Emit { done, .. } | Self::Ack { done, .. } | Self::DropTransport { done } => {
                done.send(Err(error)).is_ok()
            }
        };
    }
}
