//! The options of a client, which are fixed at its start.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{backoff::Reconnect, error::BoxError, transport::Endpoint};

/// The transport by which a client reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Transport {
    /// WebSocket from the start.
    #[default]
    WebSocket,
    /// HTTP long polling alone.
    Polling,
    /// Polling first, then an upgrade to WebSocket if the server offers it. Browsers do the same.
    Upgrade,
}

/// The places where a client sends its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TokenIn {
    /// In the `Authorization` header of every request and in `auth.token` of the CONNECT.
    #[default]
    Both,
    /// In the header alone.
    Header,
    /// In the CONNECT alone, as browsers must.
    Payload,
}

impl TokenIn {
    pub(crate) fn includes_header(self) -> bool {
        self != Self::Payload
    }

    pub(crate) fn includes_payload(self) -> bool {
        self != Self::Header
    }
}

/// The credentials of a client. They are obtained before every connection, so that a token can be
/// new each time.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ClientCredentials {
    /// The token, without `Bearer`.
    pub token: Option<String>,
    /// Further members of the CONNECT's `auth`. A `token`, `since` or `orders` here wins over the
    /// value that the client would send.
    pub auth: Map<String, Value>,
}

impl ClientCredentials {
    /// Returns credentials without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Returns credentials with this token.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            auth: Map::new(),
        }
    }

    /// Returns the token that the server is sent.
    pub(crate) fn into_token(mut self) -> Option<String> {
        match self.auth.remove("token") {
            Some(Value::String(token)) => Some(token),
            _ => self.token,
        }
    }

    /// Adds a member to `auth`.
    #[must_use]
    pub fn with(mut self, member: impl Into<String>, value: impl Into<Value>) -> Self {
        self.auth.insert(member.into(), value.into());
        self
    }
}

/// Shows the names of the members, never their values.
impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<&String> = self.auth.keys().collect();
        f.debug_struct("Credentials")
            .field("token", &self.token.is_some())
            .field("auth", &members)
            .finish()
    }
}

/// The function that returns the credentials for the next connection.
pub(crate) type CredentialsProvider =
    Arc<dyn Fn() -> BoxFuture<'static, Result<ClientCredentials, BoxError>> + Send + Sync>;

/// The validated options of a client.
pub(crate) struct ClientOptions {
    pub(crate) endpoint: Endpoint,
    pub(crate) transport: Transport,
    pub(crate) token_in: TokenIn,
    pub(crate) provider: CredentialsProvider,
    /// The provider is a function of the application. Otherwise it returns the same credentials
    /// always, and the token of a refresh takes the place of theirs.
    pub(crate) has_function: bool,
    /// The client renews its token by itself.
    pub(crate) renews: bool,
    pub(crate) reconnect: Reconnect,
    pub(crate) connect_timeout: Duration,
}
