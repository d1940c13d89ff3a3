//! Configures and starts a client.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use rustls::ClientConfig;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{
    backoff::Reconnect,
    driver::{Driver, FirstAttempt},
    error::{BoxError, ConnectError},
    handle::Client,
    options::{ClientCredentials, ClientOptions, CredentialsProvider, TokenIn, Transport},
    resume::Resume,
    session::{AppChannels, ClientOutbox},
    state::ClientState,
    transport::Endpoint,
    updates::Updates,
};

/// The number of commands that may wait for the driver. While the queue is full, [`Client::emit`]
/// waits.
const COMMAND_QUEUE: usize = 64;

impl Client {
    /// Returns a builder of a client for the server at `url` (`http`, `https`, `ws` or `wss`).
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }
}

/// The configuration of a client, made by [`Client::builder`].
///
/// [`connect`](Self::connect) and [`start`](Self::start) check it, the other methods do not.
#[must_use]
#[derive(Clone)]
pub struct ClientBuilder {
    url: String,
    path: String,
    headers: Vec<(String, String)>,
    transport: Transport,
    token_in: TokenIn,
    provider: CredentialsProvider,
    has_function: bool,
    renews: bool,
    device: Option<String>,
    since: Option<String>,
    orders: BTreeSet<String>,
    resume: bool,
    dedupe: usize,
    buffer: usize,
    max_message: usize,
    reconnect: Option<Reconnect>,
    connect_timeout: Duration,
    tls: Option<Arc<ClientConfig>>,
}

impl ClientBuilder {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            path: "/socket.io/".to_owned(),
            headers: Vec::new(),
            transport: Transport::default(),
            token_in: TokenIn::default(),
            provider: constant(ClientCredentials::anonymous()),
            has_function: false,
            renews: true,
            device: None,
            since: None,
            orders: BTreeSet::new(),
            resume: true,
            dedupe: 0,
            buffer: 1024,
            max_message: 1 << 20,
            reconnect: Some(Reconnect::default()),
            connect_timeout: Duration::from_secs(20),
            tls: None,
        }
    }

    /// Uses this token for every connection, until [`Client::refresh`] replaces it.
    pub fn token(self, token: impl Into<String>) -> Self {
        let credentials = ClientCredentials::token(token);
        Self {
            provider: constant(credentials),
            has_function: false,
            ..self
        }
    }

    /// Calls `provider` for credentials before every connection, the first one included, and during
    /// a connection when its token expires soon: the server is sent the new token, and the
    /// connection does not end.
    ///
    /// An error counts as a failed attempt. The connect timeout includes the provider's time.
    /// During a connection, an error or an unchanged token makes the client call it again, after
    /// half of the rest of the token's life. The future is dropped if the connection ends
    /// meanwhile.
    ///
    /// ```no_run
    /// use metaia_realtime::client::{Client, ClientCredentials};
    ///
    /// # async fn login() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = Client::builder("https://shop.example")
    ///     .credentials(|| async { Ok(ClientCredentials::token(login().await?)) });
    /// let (client, updates) = builder.connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn credentials<F, Fut>(mut self, provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ClientCredentials, BoxError>> + Send + 'static,
    {
        self.provider = Arc::new(move || Box::pin(provider()));
        self.has_function = true;
        self
    }

    /// Turns on or off that the client renews its token during a connection, if its credentials
    /// come from a function. The default is on. Without it the connection ends with its token.
    pub fn renew_token(self, renew: bool) -> Self {
        Self {
            renews: renew,
            ..self
        }
    }

    /// Sets the places where the token is sent. The default is both.
    pub fn token_in(self, token_in: TokenIn) -> Self {
        Self { token_in, ..self }
    }

    /// Sets the transport. The default is WebSocket from the start.
    pub fn transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// Sets the path of the Socket.IO endpoint. The default is `/socket.io/`. It is appended to the
    /// path of the URL, which is therefore a prefix and not a namespace: `http://host/admin` leads
    /// to `/admin/socket.io/`.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..self
        }
    }

    /// Adds an HTTP header to every request, for example `Origin`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the position to start after: an earlier client's [`position`](Client::position). It is
    /// sent as `auth.since`, to servers of other projects too.
    pub fn since(self, position: impl Into<String>) -> Self {
        Self {
            since: Some(position.into()),
            ..self
        }
    }

    /// Adds order rooms to join at every connection, before the catch-up. They are sent as
    /// `auth.orders`, to servers of other projects too.
    pub fn orders(mut self, orders: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.orders.extend(orders.into_iter().map(Into::into));
        self
    }

    /// Sets the name of this installation, `auth.device`. The server then stores its position, too.
    pub fn device(self, device: impl Into<String>) -> Self {
        Self {
            device: Some(device.into()),
            ..self
        }
    }

    /// Turns on or off that positions and order rooms are sent. The default is on. Without it the
    /// client receives live events only, each at most once.
    pub fn resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// Drops events whose `_rt.id` is among the last `ids` received. The default is 0, which drops
    /// nothing.
    pub fn dedupe(self, ids: usize) -> Self {
        Self {
            dedupe: ids,
            ..self
        }
    }

    /// Sets how many updates may wait for the application: 1,024 by default, at least 1. The
    /// [module](super) says what happens while the queue is full.
    pub fn buffer(self, updates: usize) -> Self {
        Self {
            buffer: updates.max(1),
            ..self
        }
    }

    /// Sets the largest packet that is taken, in bytes. The default is 1 MiB. Binary attachments
    /// have the same limit, each.
    ///
    /// A larger event is passed over ([`Update::TooLarge`](super::Update::TooLarge)), and a larger
    /// acknowledgement is an error ([`SendError::AckTooLarge`](super::SendError::AckTooLarge)). To
    /// learn what it passes over, the client reads such a packet to its end, whatever its size, and
    /// keeps little of it: a packet takes at most this limit and 64 KiB of memory.
    pub fn max_message(self, bytes: usize) -> Self {
        Self {
            max_message: bytes,
            ..self
        }
    }

    /// Sets when a lost connection is retried.
    pub fn reconnect(self, reconnect: Reconnect) -> Self {
        Self {
            reconnect: Some(reconnect),
            ..self
        }
    }

    /// Makes one connection only: the updates end with it.
    pub fn no_reconnect(self) -> Self {
        Self {
            reconnect: None,
            ..self
        }
    }

    /// Sets the time that one attempt may take, from the credentials to the accepted CONNECT. The
    /// default is 20 s.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            ..self
        }
    }

    /// Sets the configuration of TLS, for example to trust a certificate of your own. The default
    /// trusts the certificates that the operating system trusts.
    pub fn tls(self, config: impl Into<Arc<ClientConfig>>) -> Self {
        Self {
            tls: Some(config.into()),
            ..self
        }
    }

    /// Connects, and returns when the server has accepted the CONNECT. The first connection is
    /// tried once; from then on the client reconnects after a lost connection.
    ///
    /// ```no_run
    /// use metaia_realtime::client::{Client, Transport};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = Client::builder("https://shop.example").transport(Transport::Upgrade);
    /// let (client, updates) = builder.connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the reason why there is no connection. No task is left behind.
    ///
    /// # Cancel safety
    /// Dropping the future closes the client.
    pub async fn connect(self) -> Result<(Client, Updates), ConnectError> {
        let (result, first) = oneshot::channel();
        let (client, updates) = self.launch(FirstAttempt::Once(result))?;
        match first.await {
            Ok(Ok(())) => Ok((client, updates)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ConnectError::Closed),
        }
    }

    /// Starts a client that is not connected yet. The first connection is retried like later ones.
    ///
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    /// Returns [`ConnectError::Invalid`] if the configuration cannot be used.
    pub fn start(self) -> Result<(Client, Updates), ConnectError> {
        self.launch(FirstAttempt::Retried)
    }

    fn launch(self, first: FirstAttempt) -> Result<(Client, Updates), ConnectError> {
        let (updates_in, updates_out) = mpsc::channel(self.buffer);
        let (commands_in, commands) = mpsc::channel(COMMAND_QUEUE);
        let resume = Resume::new(
            self.resume,
            self.since.clone(),
            self.orders.clone(),
            self.dedupe,
        );
        let state = Arc::new(ClientState::new(resume));
        let channels = AppChannels {
            state: Arc::clone(&state),
            outbox: ClientOutbox::new(updates_in),
            commands,
            commands_in: commands_in.clone(),
        };
        let driver = Driver::new(self.options()?, channels);
        let client = Client::spawn(Arc::clone(&state), commands_in, driver.run(first));
        Ok((client, Updates::new(updates_out, state)))
    }

    fn options(self) -> Result<ClientOptions, ConnectError> {
        let endpoint = Endpoint::new(&self.url, &self.path, &self.headers, self.max_message)?
            .with_tls(self.tls);
        let no_reconnect = Reconnect {
            max_attempts: Some(0),
            ..Reconnect::default()
        };
        Ok(ClientOptions {
            endpoint,
            transport: self.transport,
            token_in: self.token_in,
            provider: with_device(self.provider, self.device),
            has_function: self.has_function,
            renews: self.renews,
            reconnect: self.reconnect.unwrap_or(no_reconnect),
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

/// Returns a provider of the same credentials for every connection.
fn constant(credentials: ClientCredentials) -> CredentialsProvider {
    Arc::new(move || {
        let credentials = credentials.clone();
        Box::pin(async move { Ok(credentials) })
    })
}

/// Returns a provider that adds `device` to the credentials if they have no device of their own.
fn with_device(provider: CredentialsProvider, device: Option<String>) -> CredentialsProvider {
    let Some(device) = device else {
        return provider;
    };
    Arc::new(move || {
        let credentials = provider();
        let device = device.clone();
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
