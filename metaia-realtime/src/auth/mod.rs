//! Authentication: credentials in, verified identities out.

mod algorithm;
mod bearer;
mod claims;
mod compact;
mod flaw;
mod hmac;
mod inspection;
#[cfg(feature = "jwks")]
pub mod jwks;
mod jwt;
mod keys;
#[cfg(test)]
mod tests;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

pub use bearer::bearer_token;
pub use compact::TokenMembers;
pub use flaw::{TokenFlaw, TokenWarning};
pub use hmac::{SignError, enable_hmac, sign_hs256};
pub use inspection::{Inspection, SignatureCheck};
pub use jwt::{InvalidSecret, JwtAuthenticator, inspect_token};

use crate::{Role, UserId, values::codes};

/// The difference that the clocks of two machines may have, in ms: the times in tokens (`exp`,
/// `nbf`) and in revocations are judged with it.
pub const LEEWAY_MS: i64 = 5_000;

/// A verified identity: the result of authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The user's role in the marketplace.
    pub role: Role,
    /// The time when the token expires, in ms since the Unix epoch. The node closes the transport
    /// then, unless the client has sent a new token by `rt:refresh`. `None`: the token does not
    /// expire.
    pub expires_at: Option<i64>,
    /// The token's own id (`jti`), if it has one.
    pub token_id: Option<String>,
    /// The time when the token was issued (`iat`), in ms since the Unix epoch. `None` counts as 0:
    /// once the user's tokens are revoked ([`Realtime::revoke`](crate::Realtime::revoke)), none of
    /// those without this time is accepted any more. An authenticator refuses a token whose time is
    /// in the future, as [`JwtAuthenticator`] does: a revocation until now would not be of it.
    pub issued_at: Option<i64>,
}

impl Identity {
    /// Returns an identity that does not expire, and of which it is not known when it was issued.
    #[must_use]
    pub const fn new(user: UserId, role: Role) -> Self {
        Self {
            user,
            role,
            expires_at: None,
            token_id: None,
            issued_at: None,
        }
    }

    /// Sets the time when the identity expires, in ms since the Unix epoch.
    #[must_use]
    pub const fn expiring_at(mut self, unix_ms: i64) -> Self {
        self.expires_at = Some(unix_ms);
        self
    }

    /// Sets the time when the identity was issued, in ms since the Unix epoch.
    #[must_use]
    pub const fn issued(mut self, unix_ms: i64) -> Self {
        self.issued_at = Some(unix_ms);
        self
    }
}

/// The credentials that a client presents when it connects: its token, and nothing else of the
/// request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Credentials {
    /// The bearer token: `auth.token` of the CONNECT packet; if that is absent, null or empty, the
    /// `Authorization` header. `None`: the client sent none, one that is not text, or one of more
    /// than [`Limits::token_bytes`](crate::Limits::token_bytes).
    pub token: Option<Arc<str>>,
}

impl Credentials {
    /// Returns credentials with a bearer token, or without one.
    #[must_use]
    pub fn bearer(token: Option<&str>) -> Self {
        Self {
            token: token.map(Into::into),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Hides the token, because it is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .finish()
    }
}

/// The part of an identity that credentials prove, even if they are refused: a token that has
/// expired still proves its user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvenClaims {
    /// The user, if it is proven.
    pub user: Option<UserId>,
    /// The role, if it is proven and known.
    pub role: Option<Role>,
}

/// Turns credentials into an identity. [`JwtAuthenticator`] is the usual implementation.
///
/// Contract, with the failure that each clause prevents:
/// - The result depends on the credentials alone: a role that is stored elsewhere may change during
///   a session, and the session would not notice.
/// - The result arrives within [`Limits::unauthenticated`](crate::Limits::unauthenticated), 5 s by
///   default: after that the node closes the connection, or, if a session was to go on with another
///   token, refuses that.
///
/// ```
/// use metaia_realtime::{Authenticator, Identity, Role, auth::{AuthError, Credentials}};
///
/// /// Accepts one token, for tests.
/// struct OneToken;
///
/// impl Authenticator for OneToken {
///     async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
///         if credentials.token.as_deref() != Some("open sesame") {
///             return Err(AuthError::Unauthorized);
///         }
///         let user = "u1".parse().map_err(|_| AuthError::Unauthorized)?;
///         Ok(Identity::new(user, Role::Customer))
///     }
/// }
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Returns the identity that the credentials prove.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] closes the transport, so that official clients try again. Every
    /// other error becomes a `connect_error`, after which official clients stop.
    ///
    /// # Cancel safety
    /// The node drops the future if the client leaves meanwhile.
    fn authenticate(
        &self,
        credentials: Credentials,
    ) -> impl Future<Output = Result<Identity, AuthError>> + Send;

    /// Returns the user that refused credentials prove, for those who look up why a client does not
    /// connect ([`Realtime::refusals`](crate::Realtime::refusals)). It must not wait, and must not
    /// name anybody on the word of the client alone: anyone could then show up there as another
    /// one. By default it names nobody.
    fn proven_claims(&self, _credentials: &Credentials) -> ProvenClaims {
        ProvenClaims::default()
    }

    /// Returns the time after which a client with these credentials, which got
    /// [`AuthError::Unavailable`], may get another answer: for `Retry-After`. It must not wait. By
    /// default the time is not known.
    fn retry_after(&self, _credentials: &Credentials) -> Option<Duration> {
        None
    }
}

/// An authenticator that is shared with other parts of the program. The routes of a REST interface
/// need none: [`Realtime::authenticate`](crate::Realtime::authenticate) accepts what sockets are
/// accepted with.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use metaia_realtime::{JwtAuthenticator, Realtime};
///
/// let authenticator = Arc::new(JwtAuthenticator::hs256("a secret of at least 32 bytes, random")?);
/// let realtime = Realtime::builder()
///     .authenticator(Arc::clone(&authenticator))
///     .build()
///     .await?;
/// assert!(authenticator.verify("nonsense").is_err());
/// # drop(realtime);
/// # Ok(())
/// # }
/// ```
impl<T: Authenticator> Authenticator for Arc<T> {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        T::authenticate(self, credentials).await
    }

    fn proven_claims(&self, credentials: &Credentials) -> ProvenClaims {
        T::proven_claims(self, credentials)
    }

    fn retry_after(&self, credentials: &Credentials) -> Option<Duration> {
        T::retry_after(self, credentials)
    }
}

codes! {
    /// Reason why a client was refused. The stable code is also the `message` of the
    /// `connect_error`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
    #[non_exhaustive]
    pub enum AuthError {
        /// The client sent no token, or one that this server does not accept.
        #[error("the token is missing or not valid")]
        Unauthorized = "unauthorized",
        /// The token was valid once and has expired.
        #[error("the token has expired")]
        Expired = "token_expired",
        /// The token was revoked.
        #[error("the token was revoked")]
        Revoked = "token_revoked",
        /// The token is valid, but its role is unknown to this system.
        #[error("the token's role is not one of this system")]
        Forbidden = "forbidden",
        /// The authenticator cannot decide at the moment.
        #[error("authentication is not available at the moment")]
        Unavailable = "unavailable",
    }
}

/// The erased twin of [`Authenticator`]: generics stop at the builder.
pub(crate) trait DynAuthenticator: Send + Sync {
    fn authenticate(&self, credentials: Credentials) -> BoxFuture<'_, Result<Identity, AuthError>>;

    fn proven_claims(&self, credentials: &Credentials) -> ProvenClaims;

    fn retry_after(&self, credentials: &Credentials) -> Option<Duration>;
}

impl<A: Authenticator> DynAuthenticator for A {
    fn authenticate(&self, credentials: Credentials) -> BoxFuture<'_, Result<Identity, AuthError>> {
        Box::pin(Authenticator::authenticate(self, credentials))
    }

    fn proven_claims(&self, credentials: &Credentials) -> ProvenClaims {
        Authenticator::proven_claims(self, credentials)
    }

    fn retry_after(&self, credentials: &Credentials) -> Option<Duration> {
        Authenticator::retry_after(self, credentials)
    }
}
