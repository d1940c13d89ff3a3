//! Authentication outside of connections, and revocation.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{
    Identity, Realtime,
    auth::{AuthError, Credentials, ProvenClaims},
    revocation::{Revocation, RevocationError},
};

/// # Authentication and revocation
impl Realtime {
    /// Returns the identity that the credentials prove, as for a client that connects: by the same
    /// [`Authenticator`](crate::Authenticator), with the same limit on the length of the token, and
    /// without tokens that were [revoked](Self::revoke). For the routes of a REST interface.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::auth::{AuthError, Credentials};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let refused = realtime.authenticate(Credentials::bearer(Some("nonsense"))).await;
    /// assert_eq!(refused, Err(AuthError::Unauthorized));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the authenticator's error, [`AuthError::Revoked`] for a token that was revoked, and
    /// [`AuthError::Unavailable`] if the authenticator takes longer than
    /// [`Limits::unauthenticated`](crate::Limits::unauthenticated), or while revocations cannot be
    /// read (see [`revocation`](crate::revocation)).
    ///
    /// # Cancel safety
    /// Dropping the future drops that of the authenticator.
    pub async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        let node = self.node();
        let authenticating = node.authenticate(credentials);
        let authenticated = timeout(node.limits().unauthenticated, authenticating).await;
        authenticated.unwrap_or(Err(AuthError::Unavailable))
    }

    /// Returns what refused credentials prove all the same: see
    /// [`Authenticator::proven_claims`](crate::Authenticator::proven_claims). For a list of refused
    /// requests. A token that is too long for a client proves nothing.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::auth::Credentials;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let claims = realtime.proven_claims(&Credentials::bearer(Some("nonsense")));
    /// assert_eq!(claims.user, None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn proven_claims(&self, credentials: &Credentials) -> ProvenClaims {
        self.node().proven_claims(credentials)
    }

    /// Returns the time after which credentials that got [`AuthError::Unavailable`] may get another
    /// answer, if it is known: see
    /// [`Authenticator::retry_after`](crate::Authenticator::retry_after). For the `Retry-After` of
    /// a REST interface.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::auth::Credentials;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// // It waits for no keys: it is refused for good.
    /// assert_eq!(realtime.retry_after(&Credentials::bearer(Some("nonsense"))), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn retry_after(&self, credentials: &Credentials) -> Option<Duration> {
        self.node().retry_after(credentials)
    }

    /// Returns whether clients can be authenticated at present: false while revocations cannot be
    /// read (see [`revocation`](crate::revocation)). For the readiness of your server: a load
    /// balancer should send clients to other nodes meanwhile.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert!(realtime.is_authenticating());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_authenticating(&self) -> bool {
        self.node().is_authenticating()
    }

    /// Revokes tokens for good, and returns the record that stands: of two revocations of a user,
    /// that with the later time.
    ///
    /// When it returns, the revocation is stored. This node refuses the tokens, and has ended their
    /// sessions with the code `token_revoked`; the other nodes do so within 5 s, with or without a
    /// doorbell. Official clients do not reconnect by themselves after it.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::revocation::Revocation;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let user: metaia_realtime::UserId = "c1".parse()?;
    /// realtime.revoke(Revocation::of_user(user.clone(), 1_800_000_000_000)).await?;
    /// let standing = realtime.revoke(Revocation::of_user(user, 5)).await?;
    /// assert_eq!(standing.bound(), 1_800_000_000_000);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`RevocationError`] if the store failed. The revocation may have been stored all the
    /// same: call it again.
    ///
    /// # Cancel safety
    /// If the future is dropped, the revocation goes on in a task of the node.
    pub async fn revoke(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        let node = Arc::clone(self.node());
        let tasks = node.tasks().clone();
        let revoking = tasks.spawn(async move { node.revoke(revocation).await });
        revoking.await.map_err(RevocationError::new)?
    }
}
