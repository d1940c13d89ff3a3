//! The commands that handles send to the driver.

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::client::{acknowledgement::Acknowledgement, error::SendError};

/// The sender of a command's result to its caller.
pub(crate) type CommandResultSender<T> = oneshot::Sender<Result<T, SendError>>;

#[derive(Debug)]
pub(crate) enum ClientCommand {
    Emit {
        name: String,
        args: Vec<Value>,
        done: CommandResultSender<()>,
    },
    EmitWithAck {
        name: String,
        args: Vec<Value>,
        done: CommandResultSender<Acknowledgement>,
    },
    /// Acknowledges an event. `connection` is the one that carried it: on another connection the id
    /// would acknowledge a different event.
    Ack {
        connection: u64,
        id: u64,
        args: Vec<Value>,
        done: CommandResultSender<()>,
    },
    DropTransport {
        done: CommandResultSender<()>,
    },
}

impl ClientCommand {
    /// Sends a command to the driver and waits for its result.
    pub(crate) async fn round_trip<T>(
        commands: &mpsc::Sender<Self>,
        command: impl FnOnce(CommandResultSender<T>) -> Self,
    ) -> Result<T, SendError> {
        let (done, result) = oneshot::channel();
        commands
            .send(command(done))
            .await
            .map_err(|_| SendError::Closed)?;
        result.await.unwrap_or(Err(SendError::Closed))
    }

    /// Ends the command with `error`, without executing it.
    pub(crate) fn refuse(self, error: SendError) {
        // A caller that no longer waits is not a failure.
        match self {
            Self::EmitWithAck { done, .. } => {
                let _ = done.send(Err(error));
            }
            Self::Emit { done, .. } | Self::Ack { done, .. } | Self::DropTransport { done } => {
                let _ = done.send(Err(error));
            }
        }
    }
}
