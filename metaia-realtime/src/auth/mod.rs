//! Who connects: tokens in, verified identities out.

mod jwt;

use std::{fmt, future::Future, sync::Arc};

use futures_util::future::BoxFuture;

pub use jwt::{InvalidSecret, JwtAuthenticator};

use crate::{Role, UserId};

/// How far clocks may differ, in ms.
pub(crate) const LEEWAY_MS: i64 = 5_000;

/// Verified who.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// What they are to the marketplace.
    pub role: Role,
    /// When their token ends, in milliseconds since the Unix epoch. The transport is closed then.
    /// `None`: never.
    pub expires_at: Option<i64>,
    /// The token's own id (`jti`), where it has one.
    pub token_id: Option<String>,
}

impl Identity {
    /// An identity that does not end by itself.
    #[must_use]
    pub const fn new(user: UserId, role: Role) -> Self {
        Self {
            user,
            role,
            expires_at: None,
            token_id: None,
        }
    }

    /// The same, ending at `unix_ms`.
    #[must_use]
    pub const fn expiring_at(mut self, unix_ms: i64) -> Self {
        self.expires_at = Some(unix_ms);
        self
    }
}

/// What a client showed of itself when it connected.
#[derive(Clone)]
#[non_exhaustive]
pub struct Credentials {
    /// The bearer token: `auth.token` of the CONNECT packet, else the `Authorization` header. At
    /// most the limit's size. `None`: the client showed none.
    pub token: Option<Arc<str>>,
}

impl Credentials {
    /// Credentials of a bearer token, or of none.
    #[must_use]
    pub fn bearer(token: Option<&str>) -> Self {
        Self {
            token: token.map(Into::into),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Without the token: it is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .finish()
    }
}

/// Turns credentials into an identity. [`JwtAuthenticator`] is the usual one.
///
/// Contract: the answer depends on the credentials alone (a role kept elsewhere may change under a
/// live session unnoticed), and arrives within the limit for unauthenticated connections, after
/// which the connection is closed.
pub trait Authenticator: Send + Sync + 'static {
    /// Who this is.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] closes the transport, so that official clients try again; every
    /// other error is a `connect_error`, after which they stop.
    ///
    /// # Cancel safety
    /// Dropped where the client leaves meanwhile.
    fn authenticate(
        &self,
        credentials: Credentials,
    ) -> impl Future<Output = Result<Identity, AuthError>> + Send;
}

/// Why somebody was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No token, or none that this server accepts.
    #[error("the token is missing or not valid")]
    Unauthorized,
    /// The token was good once.
    #[error("the token has expired")]
    Expired,
    /// The token was withdrawn.
    #[error("the token was revoked")]
    Revoked,
    /// The token is good, but its role is unknown here.
    #[error("the token's role is not one of this system")]
    Forbidden,
    /// It could not be decided now.
    #[error("authentication is not available at the moment")]
    Unavailable,
}

impl AuthError {
    /// The stable code, which is also the `message` of the `connect_error`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Expired => "token_expired",
            Self::Revoked => "token_revoked",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The erased twin of [`Authenticator`], so that generics stop at the builder.
pub(crate) trait DynAuthenticator: Send + Sync {
    fn authenticate(&self, credentials: Credentials) -> BoxFuture<'_, Result<Identity, AuthError>>;
}

impl<A: Authenticator> DynAuthenticator for A {
    fn authenticate(&self, credentials: Credentials) -> BoxFuture<'_, Result<Identity, AuthError>> {
        Box::pin(Authenticator::authenticate(self, credentials))
    }
}
