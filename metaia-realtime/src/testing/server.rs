//! A server in the process, and clients of it.

use std::{net::SocketAddr, time::Duration};

use jsonwebtoken::{EncodingKey, Header};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::within;
use crate::{
    JwtAuthenticator, Realtime, RealtimeBuilder, Role,
    client::{Client, ClientBuilder, Reconnect, Updates},
    values::time,
};

/// What the tokens of a [`TestServer`] are signed with.
const SECRET: &str = "the secret of a test server, in no way secret";

/// How long the tokens of a [`TestServer`] are good for.
const TOKEN_LIFE: Duration = Duration::from_secs(3_600);

/// A server in the process, on a free port of 127.0.0.1.
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
    /// Starts one. `configure` gets a builder that accepts the tokens of [`token`](Self::token),
    /// and changes what the test is about.
    ///
    /// # Panics
    /// Where the builder refuses, or there is no free port.
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
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let app = axum::Router::new();
        let serving = crate::serve(listener, app, realtime.clone());
        tasks.spawn(
            serving
                .with_shutdown(stopping.clone().cancelled_owned())
                .into_future(),
        );
        tasks.close();
        Self {
            realtime,
            address,
            stopping,
            tasks,
        }
    }

    /// The handle to emit with.
    #[must_use]
    pub const fn realtime(&self) -> &Realtime {
        &self.realtime
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL: `http://127.0.0.1:…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token for an hour.
    #[must_use]
    pub fn token(&self, role: Role, user: &str) -> String {
        self.token_for(role, user, TOKEN_LIFE)
    }

    /// A token that ends after `life`, in whole seconds.
    ///
    /// # Panics
    /// Never, unless the signing library is built without algorithms.
    #[must_use]
    pub fn token_for(&self, role: Role, user: &str, life: Duration) -> String {
        let expires =
            time::unix_ms() / 1000 + i64::try_from(life.as_secs()).unwrap_or(i64::MAX / 2);
        let claims = serde_json::json!({ "userId": user, "role": role, "exp": expires });
        jsonwebtoken::encode(
            &Header::default(),
            &claims,
            &EncodingKey::from_secret(SECRET.as_bytes()),
        )
        .unwrap_or_else(|error| panic!("the token could not be signed: {error}"))
    }

    /// A client to be configured further: with a token, and coming back quickly.
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

    /// A connected client.
    ///
    /// # Panics
    /// Where it cannot connect.
    pub async fn client(&self, role: Role, user: &str) -> (Client, Updates) {
        let connected = self.client_builder(role, user).connect().await;
        connected.unwrap_or_else(|error| panic!("{user} could not connect: {error}"))
    }

    /// Drains and stops it: every session has ended when this returns.
    ///
    /// # Panics
    /// Where it does not end.
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
