//! A server in the process, and its clients.

use std::{net::SocketAddr, time::Duration};

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::within;
use crate::{
    JwtAuthenticator, Realtime, RealtimeBuilder, Role,
    auth::sign_hs256,
    client::{Client, ClientBuilder, Reconnect, Updates},
    values::time,
};

/// The key that the tokens of a [`TestServer`] are signed with.
const SECRET: &str = "the secret of a test server, in no way secret";

/// The lifetime of the tokens of a [`TestServer`].
const TOKEN_LIFE: Duration = Duration::from_secs(3_600);

/// A server in the process, on a free port of 127.0.0.1, with no routes beside Socket.IO.
///
/// To test a router of your own, mount it as your program does, on a listener with port 0.
///
/// Dropping it stops it in the background, while the runtime lives; [`stop`](Self::stop) waits for
/// the end.
#[derive(Debug)]
pub struct TestServer {
    realtime: Realtime,
    address: SocketAddr,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl TestServer {
    /// Starts a server. `configure` receives a builder that accepts the tokens of
    /// [`token`](Self::token), and sets what the test is about. If it sets another authenticator,
    /// make the tokens for that one yourself, and pass them to a
    /// [`client_builder`](Self::client_builder).
    ///
    /// # Panics
    /// Panics if the builder refuses, or there is no free port.
    pub async fn start(configure: impl FnOnce(RealtimeBuilder) -> RealtimeBuilder) -> Self {
        let authenticator = JwtAuthenticator::hs256(SECRET)
            .unwrap_or_else(|error| panic!("no authenticator: {error}"));
        let builder = configure(Realtime::builder().authenticator(authenticator));
        let realtime = builder
            .build()
            .await
            .unwrap_or_else(|error| panic!("not built: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap_or_else(|error| panic!("no free port: {error}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("no address: {error}"));
        let stopping = CancellationToken::new();
        let serving = crate::serve(listener, axum::Router::new(), realtime.clone())
            .with_shutdown(stopping.clone().cancelled_owned());
        let tasks = TaskTracker::new();
        tasks.spawn(serving.into_future());
        // Closed, so that `stop` can wait until the tracker is empty.
        tasks.close();
        Self {
            realtime,
            address,
            stopping,
            tasks,
        }
    }

    /// Returns the handle to publish with.
    #[must_use]
    pub const fn realtime(&self) -> &Realtime {
        &self.realtime
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address as a URL: `http://127.0.0.1:…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a token that is valid for 1 h.
    #[must_use]
    pub fn token(&self, role: Role, user: &str) -> String {
        self.token_for(role, user, TOKEN_LIFE)
    }

    /// Returns a token that expires after `life`, in whole seconds of the system's clock: a paused
    /// tokio clock does not change when it expires.
    ///
    /// # Panics
    /// Panics if the process has a provider for `jsonwebtoken` that lacks HS256.
    #[must_use]
    pub fn token_for(&self, role: Role, user: &str, life: Duration) -> String {
        // Half of the range, so that the sum cannot overflow.
        let life_s = i64::try_from(life.as_secs()).unwrap_or(i64::MAX / 2);
        let now = time::unix_ms();
        let claims = serde_json::json!({
            "userId": user,
            "role": role,
            "exp": now / 1000 + life_s,
            // With its fraction: a token that is made right after a revocation is accepted.
            "iat": now as f64 / 1000.0,
        });
        sign_hs256(&claims, SECRET)
            .unwrap_or_else(|error| panic!("the token could not be signed: {error}"))
    }

    /// Returns a builder of a client that has a token and reconnects after 10 to 100 ms, for
    /// further configuration.
    pub fn client_builder(&self, role: Role, user: &str) -> ClientBuilder {
        let reconnect = Reconnect {
            min: Duration::from_millis(10),
            max: Duration::from_millis(100),
            max_attempts: Some(200),
        };
        Client::builder(self.url())
            .token(self.token(role, user))
            .reconnect(reconnect)
    }

    /// Connects a client, and returns when the server has accepted it.
    ///
    /// Stored and volatile events that are published from now on reach it.
    ///
    /// # Panics
    /// Panics if it cannot connect.
    pub async fn client(&self, role: Role, user: &str) -> (Client, Updates) {
        let connected = self.client_builder(role, user).connect().await;
        connected.unwrap_or_else(|error| panic!("{user} could not connect: {error}"))
    }

    /// Drains and stops the server: every session has ended when this returns.
    ///
    /// # Panics
    /// Panics if the server does not stop within [`WAIT_TIMEOUT`](super::WAIT_TIMEOUT).
    pub async fn stop(self) {
        self.stopping.cancel();
        within("the server's end", self.tasks.wait()).await;
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}
