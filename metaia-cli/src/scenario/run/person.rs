//! A person of a run: one user on one device, with a connection that may come and go.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metaia_realtime::client::{
    Client, ClientBuilder, ClientCredentials, ConnectError, Ready, Transport, Updates,
};
use tokio::time::timeout;

use crate::actor::Actor;
use crate::connection;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Identity;
use crate::liveness::Liveness;
use crate::scenario::plan::ResumeBy;
use crate::watcher::{Story, Watcher};

/// One user on one device.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) actor: Actor,
    /// `None` for a person without a token.
    pub(crate) identity: Option<Identity>,
    /// The credentials of REST requests.
    pub(crate) for_rest: Identity,
    pub(crate) resume: ResumeBy,
    pub(crate) transport: Transport,
    /// True if the person is connected before the first step.
    pub(crate) is_connected_first: bool,
    pub(crate) device: String,
    pub(crate) story: Arc<Story>,
    pub(crate) connection: tokio::sync::Mutex<Connection>,
    pub(crate) cursor: Mutex<Cursor>,
}

/// The present connection, and what the next one needs.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) watcher: Option<Watcher>,
    position: Option<String>,
    orders: Vec<String>,
    /// True if the server may know a position of the device or the token.
    was_connected: bool,
}

/// The end of what a person's last `expect` has judged.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    pub(crate) entry: usize,
    pub(crate) gaps: u64,
}

impl Connection {
    /// Takes the connection out, live or ended, and remembers where it was.
    fn take(&mut self) -> Option<Watcher> {
        let watcher = self.watcher.take()?;
        self.position = watcher.client().position();
        self.orders = watcher.client().orders();
        Some(watcher)
    }
}

/// The reason why a person is not live.
#[derive(Debug)]
pub(crate) enum NotLive {
    /// The server refused the connection, with this message.
    Refused(String, Failure),
    Failed(Failure),
}

impl NotLive {
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Refused(_, failure) | Self::Failed(failure) => failure,
        }
    }
}

impl Person {
    pub(crate) fn cursor(&self) -> Cursor {
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_cursor(&self, cursor: Cursor) {
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = cursor;
    }

    /// Connects, and waits until the session is live.
    pub(crate) async fn connect(
        &self,
        context: &Context,
        within: Duration,
    ) -> Result<Ready, NotLive> {
        let mut connection = self.connection.lock().await;
        if let Some(watcher) = connection.take() {
            watcher.close().await;
        }
        match timeout(within, self.go_live(context, &mut connection)).await {
            Ok(ended) => ended,
            Err(_) => Err(NotLive::Failed(Failure::new(
                Exit::TimedOut,
                format!("{} is not live within {} ms", self.name, within.as_millis()),
            ))),
        }
    }

    async fn go_live(
        &self,
        context: &Context,
        connection: &mut Connection,
    ) -> Result<Ready, NotLive> {
        let connected = self.open(context, connection).await?;
        let kind = self.identity.as_ref().map(Identity::token_kind);
        let mut liveness = Liveness::new(kind.unwrap_or(crate::diagnosis::TokenKind::None));
        liveness = match self.resume {
            ResumeBy::Device | ResumeBy::Token if connection.was_connected => {
                liveness.of_known_device()
            }
            _ => liveness.of_new_device(),
        };
        let watcher = Watcher::start(&self.name, connected, liveness, self.story.clone());
        connection.was_connected = true;
        let live = watcher.live().await;
        connection.watcher = Some(watcher);
        live.map_err(|reason| {
            let message = format!("{} is not live: {reason}", self.name);
            NotLive::Failed(Failure::new(Exit::Unreachable, message).of_server())
        })
    }

    async fn open(
        &self,
        context: &Context,
        connection: &Connection,
    ) -> Result<(Client, Updates), NotLive> {
        let builder = self.builder(context, connection);
        let Some(identity) = &self.identity else {
            return builder
                .connect()
                .await
                .map_err(|error| not_live(error, None));
        };
        match connection::connect_or_error(context, identity, builder).await {
            Ok(connected) => Ok(connected),
            Err((error, failure)) => Err(not_live(error, Some(failure))),
        }
    }

    fn builder(&self, context: &Context, connection: &Connection) -> ClientBuilder {
        let builder = match &self.identity {
            Some(identity) => connection::builder(context, identity),
            None => connection::builder_for(context)
                .credentials(|| std::future::ready(Ok(ClientCredentials::anonymous()))),
        };
        let builder = builder.transport(self.transport);
        match self.resume {
            ResumeBy::Position => {
                let builder = builder.orders(connection.orders.clone());
                match &connection.position {
                    Some(position) => builder.since(position),
                    None => builder,
                }
            }
            ResumeBy::Device => builder.resume(false).device(&self.device),
            ResumeBy::Token | ResumeBy::Nothing => builder.resume(false),
        }
    }

    /// Ends the connection without a word.
    pub(crate) async fn cut(&self) -> Result<(), Failure> {
        let watcher = self.take_watcher().await?;
        watcher.cut().await;
        Ok(())
    }

    /// Disconnects.
    pub(crate) async fn close(&self) -> Result<(), Failure> {
        let watcher = self.take_watcher().await?;
        watcher.close().await;
        Ok(())
    }

    async fn take_watcher(&self) -> Result<Watcher, Failure> {
        let mut connection = self.connection.lock().await;
        connection.take().ok_or_else(|| self.not_connected())
    }

    /// Returns the client of the present connection.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        let connection = self.connection.lock().await;
        match &connection.watcher {
            Some(watcher) => Ok(watcher.client().clone()),
            None => Err(self.not_connected()),
        }
    }

    pub(crate) fn not_connected(&self) -> Failure {
        let message = format!("{} is not connected at this step", self.name);
        Failure::new(Exit::Unreachable, message).hint("a step `back` connects again")
    }
}

fn not_live(error: ConnectError, failure: Option<Failure>) -> NotLive {
    let failure = failure
        .unwrap_or_else(|| Failure::new(Exit::Unauthenticated, error.to_string()).of_server());
    match error {
        ConnectError::Refused { message, .. } => NotLive::Refused(message, failure),
        _ => NotLive::Failed(failure),
    }
}
