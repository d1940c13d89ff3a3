//! The handle by which an application uses its connection.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::{
    acknowledgement::Acknowledgement,
    args::{to_args, to_json},
    error::SendError,
    server_date::ServerDate,
    session::ClientCommand,
    state::ClientState,
};

/// A handle of one Socket.IO client.
///
/// Clones share the client. Dropping every clone changes nothing: the connection lives as long as
/// its [`Updates`](super::Updates). Dropping those ends it without a DISCONNECT, as a phone does
/// that loses power.
#[derive(Clone)]
pub struct Client {
    state: Arc<ClientState>,
    commands: mpsc::Sender<ClientCommand>,
    tasks: TaskTracker,
}

impl Client {
    /// Starts the task of a client.
    pub(crate) fn spawn(
        state: Arc<ClientState>,
        commands: mpsc::Sender<ClientCommand>,
        driver: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let tasks = TaskTracker::new();
        tasks.spawn(driver);
        // Closed, so that `close` can wait for the end of the one task.
        tasks.close();
        Self {
            state,
            commands,
            tasks,
        }
    }

    /// Sends an event without an acknowledgement. Returns when the event has been written to the
    /// connection.
    ///
    /// The event has one argument, `data`: `()` is sent as `null`, a tuple as one list. For none or
    /// several, use [`emit_args`](Self::emit_args).
    ///
    /// # Errors
    /// [`SendError::NotConnected`], [`SendError::NotJson`], [`SendError::Closed`].
    ///
    /// # Cancel safety
    /// The event is sent as a whole or not at all. After the future was dropped it is unknown
    /// which.
    pub async fn emit(&self, event: &str, data: impl Serialize) -> Result<(), SendError> {
        self.send(event, vec![to_json(data)?]).await
    }

    /// Sends an event with any number of arguments, without an acknowledgement. Each element of a
    /// tuple, an array or a `Vec` is an argument; `()` stands for none. Servers of this project
    /// take one argument at most, and refuse an event with more as `malformed`; of joins and leaves
    /// of order rooms they read the first argument alone.
    ///
    /// ```no_run
    /// # async fn example(client: metaia_realtime::client::Client)
    /// # -> Result<(), metaia_realtime::client::SendError> {
    /// client.emit_args("move", (3, "left")).await?;
    /// client.emit_args("refresh", ()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The same as [`emit`](Self::emit), and [`SendError::NotAList`].
    ///
    /// # Cancel safety
    /// The same as [`emit`](Self::emit).
    pub async fn emit_args(&self, event: &str, args: impl Serialize) -> Result<(), SendError> {
        self.send(event, to_args(args)?).await
    }

    async fn send(&self, event: &str, args: Vec<Value>) -> Result<(), SendError> {
        let name = event.to_owned();
        ClientCommand::round_trip(&self.commands, |done| ClientCommand::Emit {
            name,
            args,
            done,
        })
        .await
    }

    /// Sends an event and waits for its acknowledgement. Returns the acknowledgement's first
    /// argument, or `null` if it has none.
    ///
    /// Acknowledgements come over the same connection as updates: while the queue of updates is
    /// full, nothing is read, and this call times out.
    ///
    /// # Errors
    /// Any [`SendError`]. [`SendError::BinaryAck`] if the acknowledgement has binary attachments.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting. The event may have been sent.
    pub async fn emit_with_ack(
        &self,
        event: &str,
        data: impl Serialize,
        timeout: Duration,
    ) -> Result<Value, SendError> {
        let answer = self.request(event, vec![to_json(data)?], timeout).await?;
        answer.into_first()
    }

    /// Sends an event with any number of arguments, as [`emit_args`](Self::emit_args) does, and
    /// waits for its acknowledgement. Returns all of it, binary attachments included.
    ///
    /// # Errors
    /// Any [`SendError`] but [`SendError::BinaryAck`].
    ///
    /// # Cancel safety
    /// The same as [`emit_with_ack`](Self::emit_with_ack).
    pub async fn emit_args_with_ack(
        &self,
        event: &str,
        args: impl Serialize,
        timeout: Duration,
    ) -> Result<Acknowledgement, SendError> {
        self.request(event, to_args(args)?, timeout).await
    }

    async fn request(
        &self,
        event: &str,
        args: Vec<Value>,
        timeout: Duration,
    ) -> Result<Acknowledgement, SendError> {
        let name = event.to_owned();
        let answer = ClientCommand::round_trip(&self.commands, |done| ClientCommand::EmitWithAck {
            name,
            args,
            done,
        });
        tokio::time::timeout(timeout, answer)
            .await
            .unwrap_or(Err(SendError::Timeout(timeout)))
    }

    /// Drops the connection without a DISCONNECT, as a loss of reception does. The client
    /// reconnects as after any lost connection.
    pub async fn drop_transport(&self) {
        // Both failures mean that there is nothing to drop: a closed client has no connection.
        let _ =
            ClientCommand::round_trip(&self.commands, |done| ClientCommand::DropTransport { done })
                .await;
    }

    /// Closes the client: sends DISCONNECT, closes the transport, and waits for the end of the
    /// client's task.
    ///
    /// Takes at most one second. Updates that wait in the queue can still be received.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the closing.
    pub async fn close(&self) {
        self.state.closing.cancel();
        self.tasks.wait().await;
    }

    /// Returns whether there is a connection whose CONNECT the server has accepted.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state.is_connected()
    }

    /// Returns the server's clock at the latest connection; `None` before the first one, or if the
    /// server sends no `Date`.
    #[must_use]
    pub fn server_date(&self) -> Option<ServerDate> {
        self.state.date()
    }

    /// Returns the time of the latest packet of the server, a ping included; `None` before the
    /// first one. While the queue of updates is full, no packet is read.
    #[must_use]
    pub fn last_heard(&self) -> Option<Instant> {
        self.state.last_heard()
    }

    /// Returns the position of the last event that was received from the updates. An application
    /// that stores it can resume in another process.
    ///
    /// Received is not processed: to resume after the last event that you have *processed*, store
    /// [`ReceivedEvent::at`](super::ReceivedEvent::at) of that event instead.
    #[must_use]
    pub fn position(&self) -> Option<String> {
        self.state.resume().handed_over.clone()
    }

    /// Returns the order rooms that the next connection will join.
    #[must_use]
    pub fn orders(&self) -> Vec<String> {
        self.state.resume().orders()
    }

    pub(crate) fn state(&self) -> &ClientState {
        &self.state
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
