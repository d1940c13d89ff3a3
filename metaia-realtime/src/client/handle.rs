//! The handle: what an application does with its connection.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::builder::ClientBuilder;
use super::error::SendError;
use super::resume::Resume;
use super::session::Command;

/// One Socket.IO client.
///
/// Clones share it. Dropping every clone changes nothing: the connection lives as long as its
/// [`Updates`](super::Updates); dropping those ends it without a word, as a phone that loses power
/// does.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    tasks: TaskTracker,
}

/// What handle, updates and driver have in common.
pub(crate) struct Shared {
    /// Never held across an await.
    resume: Mutex<Resume>,
    pub(crate) connected: AtomicBool,
    pub(crate) closing: CancellationToken,
}

impl Shared {
    pub(crate) fn new(resume: Resume) -> Self {
        Self {
            resume: Mutex::new(resume),
            connected: AtomicBool::new(false),
            closing: CancellationToken::new(),
        }
    }

    pub(crate) fn resume(&self) -> MutexGuard<'_, Resume> {
        // No panic can leave the memory half written, so a poisoned lock is as good as any.
        self.resume.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// A client for the server at `url` (`http`, `https`, `ws` or `wss`).
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    pub(crate) fn launch(
        shared: Arc<Shared>,
        commands: mpsc::Sender<Command>,
        driver: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let tasks = TaskTracker::new();
        tasks.spawn(driver);
        tasks.close();
        Self {
            shared,
            commands,
            tasks,
        }
    }

    /// Sends an event without waiting for an answer. Returns when it has been written to the
    /// connection.
    ///
    /// Cancel safe in that it is sent whole or not at all; a dropped future does not say which.
    ///
    /// # Errors
    /// [`SendError::NotConnected`], [`SendError::NotJson`], [`SendError::Closed`].
    pub async fn emit(&self, event: &str, data: impl Serialize) -> Result<(), SendError> {
        let (name, args) = (event.to_owned(), vec![to_json(data)?]);
        Command::round_trip(&self.commands, |done| Command::Emit { name, args, done }).await
    }

    /// Sends an event and waits for its acknowledgement, of which the first argument is returned
    /// (`null` without any).
    ///
    /// The acknowledgement comes over the same line as the updates: where nobody takes those and
    /// their queue is full, it times out. Dropping the future gives up waiting; the event may have
    /// been sent.
    ///
    /// # Errors
    /// Any [`SendError`].
    pub async fn emit_with_ack(
        &self,
        event: &str,
        data: impl Serialize,
        timeout: Duration,
    ) -> Result<Value, SendError> {
        let (name, args) = (event.to_owned(), vec![to_json(data)?]);
        let asked = Command::round_trip(&self.commands, |done| Command::Ask { name, args, done });
        tokio::time::timeout(timeout, asked)
            .await
            .unwrap_or(Err(SendError::Timeout(timeout)))
    }

    /// Cuts the connection without a word, as a dead zone does. The client comes back as from any
    /// lost connection.
    pub async fn drop_transport(&self) {
        // A client that is closed has no transport either, so both failures mean that there is
        // nothing to do.
        let _ = Command::round_trip(&self.commands, |done| Command::DropTransport { done }).await;
    }

    /// Leaves: sends DISCONNECT, closes the transport, and waits for the end of the client's task.
    ///
    /// Takes at most a second. Updates that wait in the queue can still be taken. Dropping the
    /// future does not stop the closing.
    pub async fn close(&self) {
        self.shared.closing.cancel();
        self.tasks.wait().await;
    }

    /// Whether the server has accepted the CONNECT of the present connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.connected.load(Ordering::Acquire)
    }

    /// The position of the last event that was taken from the updates: keep it to come back in
    /// another process.
    #[must_use]
    pub fn position(&self) -> Option<String> {
        self.shared.resume().handed_over.clone()
    }

    /// The order rooms that will be asked for at the next connection.
    #[must_use]
    pub fn orders(&self) -> Vec<String> {
        self.shared.resume().orders()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

fn to_json(data: impl Serialize) -> Result<Value, SendError> {
    serde_json::to_value(data).map_err(|_| SendError::NotJson)
}
