//! The one task of a client: it connects, serves the connection, waits, and reconnects.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{
    error::{ConnectError, DisconnectReason, GaveUp, SendError},
    event::{Connected, Retrying, Update},
    options::ClientOptions,
    session::{
        AppChannels, ClientSession, Opened, QueueEvent, SessionEnd, SessionSummary, TokenRenewal,
        open,
    },
    transport::error_chain,
};

/// The treatment of the first connection.
pub(crate) enum FirstAttempt {
    /// It is tried once, and the result is sent to the waiting caller.
    Once(oneshot::Sender<Result<(), ConnectError>>),
    /// It is retried like later ones.
    Retried,
}

pub(crate) struct Driver {
    options: Arc<ClientOptions>,
    channels: AppChannels,
    /// Connections that were accepted so far.
    connections: u64,
    /// Attempts since the last session that was ready.
    attempt: u32,
}

/// The reason why there is no connection now.
enum ConnectionLoss {
    /// An attempt failed.
    Failed(ConnectError),
    /// A connection ended.
    Ended {
        reason: DisconnectReason,
        /// The time that the server asked its clients to wait (`rt:drain`).
        retry_after: Option<Duration>,
    },
}

impl Driver {
    pub(crate) fn new(options: ClientOptions, channels: AppChannels) -> Self {
        Self {
            options: Arc::new(options),
            channels,
            connections: 0,
            attempt: 0,
        }
    }

    /// Runs until the client is closed or gives up, or the updates are dropped.
    pub(crate) async fn run(mut self, first: FirstAttempt) {
        let mut first = Some(first);
        while let Some(opened) = self.connect().await {
            let Some(opened) = report_first(first.take(), opened) else {
                return;
            };
            let loss = match opened {
                Ok(opened) => self.serve(opened).await,
                Err(error) => Some(ConnectionLoss::Failed(error)),
            };
            let Some(loss) = loss else { return };
            if !self.wait_for_retry(loss).await {
                return;
            }
        }
    }

    /// Makes one attempt. Returns `None` if the client was closed or its updates were dropped.
    async fn connect(&mut self) -> Option<Result<Opened, ConnectError>> {
        let options = Arc::clone(&self.options);
        let add_resume = self.channels.state.resume().auth_members();
        let refreshed = self.channels.state.token();
        let limit = options.connect_timeout;
        // Boxed: it is many times as large as the rest of the task, and lives for moments of a
        // connection of hours.
        let attempt =
            Box::pin(async move { timeout(limit, open(&options, refreshed, add_resume)).await });
        let opened = self.run_while_down(attempt).await?;
        Some(opened.unwrap_or(Err(ConnectError::Timeout(limit))))
    }

    /// Serves a connection to its end. Returns `None` if the client was closed or its updates were
    /// dropped.
    async fn serve(&mut self, opened: Opened) -> Option<ConnectionLoss> {
        let connected = Connected {
            transport: opened.link.transport(),
            reconnects: self.connections,
            since: opened.since.clone(),
        };
        self.connections += 1;
        self.channels.state.set_date(opened.handshake.date.clone());
        self.channels.outbox.push(Update::Connected(connected));
        let renewal = self.token_renewal(&opened);
        let session = ClientSession::new(&mut self.channels, opened, renewal, self.connections);
        let SessionSummary {
            end,
            retry_after,
            was_ready,
        } = session.run().await;
        if was_ready {
            self.attempt = 0;
        }
        let reason = match end {
            SessionEnd::Lost(reason) => reason,
            SessionEnd::Closing => DisconnectReason::ClientDisconnect,
            SessionEnd::Abandoned => return None,
        };
        tracing::debug!(%reason, "the connection ended");
        self.channels
            .outbox
            .push(Update::Disconnected(reason.clone()));
        if reason == DisconnectReason::ClientDisconnect {
            return None;
        }
        Some(ConnectionLoss::Ended {
            reason,
            retry_after,
        })
    }

    fn token_renewal(&self, opened: &Opened) -> TokenRenewal {
        let options = &self.options;
        let provider = Some(&options.provider).filter(|_| options.has_function && options.renews);
        let commands = self.channels.commands_in.clone();
        TokenRenewal::new(provider.cloned(), commands, opened.token.clone())
    }

    /// Reports to the application whether there is another attempt, and waits until it is due.
    /// Returns `false` if there is none.
    async fn wait_for_retry(&mut self, loss: ConnectionLoss) -> bool {
        match self.decide(loss) {
            Ok(retrying) => {
                let delay = retrying.delay;
                self.channels.outbox.push(Update::Retrying(retrying));
                self.run_while_down(sleep(delay)).await.is_some()
            }
            Err(reason) => {
                self.channels.outbox.push(Update::GaveUp(reason));
                // Waits until the application has received the last updates: the task ends then.
                self.run_while_down(std::future::ready(())).await;
                false
            }
        }
    }

    fn decide(&mut self, loss: ConnectionLoss) -> Result<Retrying, GaveUp> {
        self.attempt = self.attempt.saturating_add(1);
        match loss {
            ConnectionLoss::Ended {
                reason: DisconnectReason::ServerDisconnect,
                ..
            } => Err(GaveUp::ServerDisconnect),
            ConnectionLoss::Ended {
                reason,
                retry_after,
            } => self.retry(reason.with_detail(), retry_after, None),
            ConnectionLoss::Failed(ConnectError::Refused { message, data }) => {
                Err(GaveUp::Refused { message, data })
            }
            ConnectionLoss::Failed(error) if !error.is_retryable() => Err(GaveUp::Exhausted {
                last_error: error_chain(&error),
            }),
            ConnectionLoss::Failed(error) => {
                self.retry(error_chain(&error), error.retry_after(), Some(error))
            }
        }
    }

    fn retry(
        &self,
        last_error: String,
        retry_after: Option<Duration>,
        error: Option<ConnectError>,
    ) -> Result<Retrying, GaveUp> {
        let reconnect = &self.options.reconnect;
        if !reconnect.allows(self.attempt) {
            return Err(GaveUp::Exhausted { last_error });
        }
        Ok(Retrying {
            attempt: self.attempt,
            delay: reconnect.delay(self.attempt, retry_after, rand::random()),
            error: error.map(Arc::new),
        })
    }

    /// Awaits `future` while there is no connection, then waits until the application has received
    /// all updates. Refuses commands meanwhile. Returns `None` if the client was closed or its
    /// updates were dropped.
    ///
    /// Arms: the client is closed · the future ends · the application receives updates or has
    /// dropped them · a command comes.
    async fn run_while_down<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut output = None;
        loop {
            if output.is_some() && !self.channels.outbox.is_blocked() {
                return output;
            }
            tokio::select! {
                () = self.channels.state.closing.cancelled() => return None,
                ended = future.as_mut(), if output.is_none() => output = Some(ended),
                event = self.channels.outbox.changed() => {
                    if event == QueueEvent::Dropped {
                        return None;
                    }
                }
                Some(command) = self.channels.commands.recv() => {
                    command.refuse(SendError::NotConnected);
                }
            }
        }
    }
}

/// Sends the result of the first connection to the waiting caller. Returns `None` if it failed and
/// is not retried.
fn report_first(
    first: Option<FirstAttempt>,
    opened: Result<Opened, ConnectError>,
) -> Option<Result<Opened, ConnectError>> {
    let Some(FirstAttempt::Once(caller)) = first else {
        return Some(opened);
    };
    match opened {
        Ok(opened) => {
            // If the caller is gone, the updates are dropped, too, which the session notices.
            let _ = caller.send(Ok(()));
            Some(Ok(opened))
        }
        Err(error) => {
            let _ = caller.send(Err(error));
            None
        }
    }
}
