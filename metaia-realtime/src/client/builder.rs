//! Configuring and starting a client.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::backoff::Reconnect;
use super::driver::{Driver, First};
use super::error::{BoxError, ConnectError};
use super::handle::{Client, Shared};
use super::options::{Credentials, Options, Provider, TokenIn, Transport};
use super::resume::Resume;
use super::transport::Endpoint;
use super::updates::Updates;

/// Commands that wait for the driver. A full queue makes [`Client::emit`] wait.
const COMMANDS: usize = 64;

/// Configures a client; made by [`Client::builder`].
///
/// Nothing is checked before [`connect`](Self::connect) or [`start`](Self::start).
#[must_use]
#[derive(Clone)]
pub struct ClientBuilder {
    url: String,
    path: String,
    headers: Vec<(String, String)>,
    transport: Transport,
    token_in: TokenIn,
    provider: Provider,
    device: Option<String>,
    since: Option<String>,
    orders: BTreeSet<String>,
    resume: bool,
    dedupe: usize,
    buffer: usize,
    max_message: usize,
    reconnect: Option<Reconnect>,
    connect_timeout: Duration,
}

impl ClientBuilder {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            path: "/socket.io/".to_owned(),
            headers: Vec::new(),
            transport: Transport::default(),
            token_in: TokenIn::default(),
            provider: constant(Credentials::anonymous()),
            device: None,
            since: None,
            orders: BTreeSet::new(),
            resume: true,
            dedupe: 0,
            buffer: 1024,
            max_message: 1 << 20,
            reconnect: Some(Reconnect::default()),
            connect_timeout: Duration::from_secs(20),
        }
    }

    /// This token at every connection.
    pub fn token(self, token: impl Into<String>) -> Self {
        let credentials = Credentials::token(token);
        Self {
            provider: constant(credentials),
            ..self
        }
    }

    /// Asks `provider` for credentials before every connection, the first one included.
    ///
    /// An error counts as a failed attempt. The connect timeout covers the provider's time too.
    pub fn credentials<F, Fut>(mut self, provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Credentials, BoxError>> + Send + 'static,
    {
        self.provider = Arc::new(move || Box::pin(provider()));
        self
    }

    /// Where the token goes; both places by default.
    pub fn token_in(self, token_in: TokenIn) -> Self {
        Self { token_in, ..self }
    }

    /// How the server is reached; WebSocket from the start by default.
    pub fn transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// The path of the Socket.IO endpoint, `/socket.io/` by default. A path in the URL comes before
    /// it.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..self
        }
    }

    /// One more HTTP header on every request, for example `Origin`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The position to begin after: an earlier client's [`position`](Client::position).
    pub fn since(self, position: impl Into<String>) -> Self {
        Self {
            since: Some(position.into()),
            ..self
        }
    }

    /// Order rooms to join at every connection, before the catch-up.
    pub fn orders(mut self, orders: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.orders.extend(orders.into_iter().map(Into::into));
        self
    }

    /// This installation's name, `auth.device`: the server then remembers its position too.
    pub fn device(self, device: impl Into<String>) -> Self {
        Self {
            device: Some(device.into()),
            ..self
        }
    }

    /// Whether positions and order rooms are sent at all; on by default. Off, the client is live
    /// and at most once.
    pub fn resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// Drops events whose `_rt.id` is among the last `ids` seen. 0, the default, drops nothing.
    pub fn dedupe(self, ids: usize) -> Self {
        Self {
            dedupe: ids,
            ..self
        }
    }

    /// How many updates wait for the application, 1,024 by default, at least 1. See the module for
    /// what happens when they are full.
    pub fn buffer(self, updates: usize) -> Self {
        Self {
            buffer: updates.max(1),
            ..self
        }
    }

    /// The largest packet that is read, in bytes, 1 MiB by default. A larger one ends the
    /// connection. A polling answer, which holds many packets, may be four times as long.
    pub fn max_message(self, bytes: usize) -> Self {
        Self {
            max_message: bytes,
            ..self
        }
    }

    /// When a lost connection is tried again.
    pub fn reconnect(self, reconnect: Reconnect) -> Self {
        Self {
            reconnect: Some(reconnect),
            ..self
        }
    }

    /// One connection and no other: the updates end with it.
    pub fn no_reconnect(self) -> Self {
        Self {
            reconnect: None,
            ..self
        }
    }

    /// How long one attempt may take, from the credentials to the accepted CONNECT; 20 s by
    /// default.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            ..self
        }
    }

    /// Connects: tried once, and returns when the server has accepted the CONNECT. From then on a
    /// lost connection is made again. Cancel safe: dropping the future closes the client.
    ///
    /// # Errors
    /// Why there is no connection. No task is left behind.
    pub async fn connect(self) -> Result<(Client, Updates), ConnectError> {
        let (result, first) = oneshot::channel();
        let (client, updates) = self.launch(First::Once(result))?;
        match first.await {
            Ok(Ok(())) => Ok((client, updates)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ConnectError::Closed),
        }
    }

    /// Starts a client that is not connected yet; the first connection is tried as often as later
    /// ones.
    ///
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError::Invalid`].
    pub fn start(self) -> Result<(Client, Updates), ConnectError> {
        self.launch(First::Retried)
    }

    fn launch(self, first: First) -> Result<(Client, Updates), ConnectError> {
        let (updates_in, updates_out) = mpsc::channel(self.buffer);
        let (commands_in, commands_out) = mpsc::channel(COMMANDS);
        let resume = Resume::new(
            self.resume,
            self.since.clone(),
            self.orders.clone(),
            self.dedupe,
        );
        let shared = Arc::new(Shared::new(resume));
        let driver = Driver::new(
            self.options()?,
            Arc::clone(&shared),
            (commands_in.clone(), commands_out),
            updates_in,
        );
        let client = Client::launch(Arc::clone(&shared), commands_in, driver.run(first));
        Ok((client, Updates::new(updates_out, shared)))
    }

    fn options(self) -> Result<Options, ConnectError> {
        let endpoint = Endpoint::new(&self.url, &self.path, &self.headers, self.max_message)?;
        Ok(Options {
            endpoint,
            transport: self.transport,
            token_in: self.token_in,
            provider: with_device(self.provider, self.device),
            reconnect: self.reconnect.unwrap_or(Reconnect {
                max_attempts: Some(0),
                ..Reconnect::default()
            }),
            connect_timeout: self.connect_timeout,
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("url", &self.url)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

fn constant(credentials: Credentials) -> Provider {
    Arc::new(move || {
        let credentials = credentials.clone();
        Box::pin(async move { Ok(credentials) })
    })
}

fn with_device(provider: Provider, device: Option<String>) -> Provider {
    let Some(device) = device else {
        return provider;
    };
    Arc::new(move || {
        let (credentials, device) = (provider(), device.clone());
        Box::pin(async move {
            let mut credentials = credentials.await?;
            credentials
                .auth
                .entry("device")
                .or_insert(Value::String(device));
            Ok(credentials)
        })
    })
}
