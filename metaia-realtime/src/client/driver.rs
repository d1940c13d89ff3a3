//! One task per client: connects, serves the connection, waits, connects again.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::error::{ConnectError, DisconnectReason, GaveUp, SendError};
use super::event::{Connected, Retrying, Update};
use super::handle::Shared;
use super::options::Options;
use super::session::{Command, End, Opened, Outbox, Port, Session, Turn, open};
use super::transport::chain;
use super::updates::Delivery;

/// How the first connection is treated.
pub(crate) enum First {
    /// Tried once; whoever waits learns how it went.
    Once(oneshot::Sender<Result<(), ConnectError>>),
    /// Tried as often as later ones.
    Retried,
}

pub(crate) struct Driver {
    options: Arc<Options>,
    port: Port,
    connections: u64,
    /// Attempts since the last accepted connection.
    attempt: u32,
}

/// Why there is no connection now.
enum Down {
    Failed(ConnectError),
    Lost(DisconnectReason, Option<Duration>),
}

impl Driver {
    pub(crate) fn new(
        options: Options,
        shared: Arc<Shared>,
        (commands_in, commands): (mpsc::Sender<Command>, mpsc::Receiver<Command>),
        updates: mpsc::Sender<Delivery>,
    ) -> Self {
        let port = Port {
            shared,
            outbox: Outbox::new(updates),
            commands,
            commands_in,
        };
        Self {
            options: Arc::new(options),
            port,
            connections: 0,
            attempt: 0,
        }
    }

    /// Runs until the client is closed, abandoned, or gives up.
    pub(crate) async fn run(mut self, first: First) {
        let mut first = Some(first);
        while let Some(opened) = self.connect().await {
            let Some(opened) = announce(first.take(), opened) else {
                return;
            };
            let down = match opened {
                Ok(opened) => self.serve(opened).await,
                Err(error) => Some(Down::Failed(error)),
            };
            let Some(down) = down else { return };
            if !self.pause(down).await {
                return;
            }
        }
    }

    /// One attempt; `None`: the client is over.
    async fn connect(&mut self) -> Option<Result<Opened, ConnectError>> {
        let options = Arc::clone(&self.options);
        let fill = self.port.shared.resume().filler();
        let limit = options.connect_timeout;
        // In a box: it is many times as large as the rest of the task, and lives for moments of a
        // connection of hours.
        let attempt = Box::pin(async move { timeout(limit, open(&options, fill)).await });
        let opened = self.meanwhile(attempt).await?;
        Some(opened.unwrap_or(Err(ConnectError::Timeout(limit))))
    }

    /// Serves a connection to its end; `None`: the client is over.
    async fn serve(&mut self, opened: Opened) -> Option<Down> {
        self.attempt = 0;
        let connected = Connected {
            transport: opened.link.transport(),
            reconnects: self.connections,
            since: opened.since.clone(),
        };
        self.connections += 1;
        self.port.outbox.push(Update::Connected(connected));
        let (end, come_back) = Session::new(&mut self.port, opened, self.connections)
            .run()
            .await;
        let reason = match end {
            End::Lost(reason) => reason,
            End::Closing => DisconnectReason::ClientDisconnect,
            End::Abandoned => return None,
        };
        tracing::debug!(%reason, "the connection ended");
        self.port.outbox.push(Update::Disconnected(reason.clone()));
        (reason != DisconnectReason::ClientDisconnect).then_some(Down::Lost(reason, come_back))
    }

    /// Tells the application whether there is another attempt, and waits for its time. `false`:
    /// there is none.
    async fn pause(&mut self, down: Down) -> bool {
        match self.decide(down) {
            Ok(retrying) => {
                let delay = retrying.delay;
                self.port.outbox.push(Update::Retrying(retrying));
                self.meanwhile(sleep(delay)).await.is_some()
            }
            Err(reason) => {
                self.port.outbox.push(Update::GaveUp(reason));
                // The last updates are handed over before the task ends.
                self.meanwhile(std::future::ready(())).await;
                false
            }
        }
    }

    fn decide(&mut self, down: Down) -> Result<Retrying, GaveUp> {
        self.attempt = self.attempt.saturating_add(1);
        let (text, asked, error) = match down {
            Down::Lost(DisconnectReason::ServerDisconnect, _) => {
                return Err(GaveUp::ServerDisconnect);
            }
            Down::Failed(ConnectError::Refused { message, data }) => {
                return Err(GaveUp::Refused { message, data });
            }
            Down::Lost(reason, come_back) => (reason.to_string(), come_back, None),
            Down::Failed(error) => (chain(&error), error.retry_after(), Some(Arc::new(error))),
        };
        let is_hopeless = error.as_ref().is_some_and(|error| !error.is_retryable());
        if is_hopeless || !self.options.reconnect.allows(self.attempt) {
            return Err(GaveUp::Exhausted { last_error: text });
        }
        let delay = self
            .options
            .reconnect
            .delay(self.attempt, asked, rand::random());
        Ok(Retrying {
            attempt: self.attempt,
            delay,
            error,
        })
    }

    /// Waits for `future` while there is no connection, then until the application has taken what
    /// happened. Commands are refused. `None`: the client is closed or abandoned.
    ///
    /// Arms: the client is closed · the future ends · the application takes updates or has dropped
    /// them · a command comes.
    async fn meanwhile<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut output) = (pin!(future), None);
        loop {
            if output.is_some() && !self.port.outbox.is_blocked() {
                return output;
            }
            tokio::select! {
                () = self.port.shared.closing.cancelled() => return None,
                ended = future.as_mut(), if output.is_none() => output = Some(ended),
                turn = self.port.outbox.turn() => {
                    if turn == Turn::Abandoned {
                        return None;
                    }
                }
                Some(command) = self.port.commands.recv() => command.refuse(SendError::NotConnected),
            }
        }
    }
}

/// Tells whoever waits for the first connection how it went. `None`: it failed, and that was all.
fn announce(
    first: Option<First>,
    opened: Result<Opened, ConnectError>,
) -> Option<Result<Opened, ConnectError>> {
    let Some(First::Once(waiting)) = first else {
        return Some(opened);
    };
    match opened {
        Ok(opened) => {
            // Nobody waiting any more means that the updates are dropped too, which the session
            // notices.
            let _ = waiting.send(Ok(()));
            Some(Ok(opened))
        }
        Err(error) => {
            let _ = waiting.send(Err(error));
            None
        }
    }
}
