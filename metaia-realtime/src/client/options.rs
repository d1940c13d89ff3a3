//! What a client is told once, at its start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::backoff::Reconnect;
use super::error::BoxError;
use super::transport::Endpoint;

/// How a client reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Transport {
    /// WebSocket from the start.
    #[default]
    WebSocket,
    /// HTTP long polling and nothing else.
    Polling,
    /// Polling first, then an upgrade where the server offers it: what browsers do.
    Upgrade,
}

/// Where a client puts its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TokenIn {
    /// Into the `Authorization` header of every request and into `auth.token` of the CONNECT.
    #[default]
    Both,
    /// Into the header alone.
    Header,
    /// Into the CONNECT alone, as a browser must.
    Payload,
}

impl TokenIn {
    pub(crate) fn header(self) -> bool {
        self != Self::Payload
    }

    pub(crate) fn payload(self) -> bool {
        self != Self::Header
    }
}

/// Who the client is: asked for before every connection, so that a token can be fresh each time.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Credentials {
    /// The token, without `Bearer`.
    pub token: Option<String>,
    /// Further members of the CONNECT's `auth`. A `token`, `since` or `orders` here wins over the
    /// client's own.
    pub auth: Map<String, Value>,
}

impl Credentials {
    /// No token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// This token.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            auth: Map::new(),
        }
    }

    /// One more member of `auth`.
    #[must_use]
    pub fn with(mut self, member: impl Into<String>, value: impl Into<Value>) -> Self {
        self.auth.insert(member.into(), value.into());
        self
    }
}

/// Says which members there are, never what is in them.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<&String> = self.auth.keys().collect();
        f.debug_struct("Credentials")
            .field("token", &self.token.is_some())
            .field("auth", &members)
            .finish()
    }
}

pub(crate) type Provider =
    Arc<dyn Fn() -> BoxFuture<'static, Result<Credentials, BoxError>> + Send + Sync>;

/// Everything that the driver needs, validated.
pub(crate) struct Options {
    pub(crate) endpoint: Endpoint,
    pub(crate) transport: Transport,
    pub(crate) token_in: TokenIn,
    pub(crate) provider: Provider,
    pub(crate) reconnect: Reconnect,
    pub(crate) connect_timeout: Duration,
}
