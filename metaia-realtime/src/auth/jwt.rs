//! Tokens signed with a shared secret (RFC 7519 with HS256), or with a key of a key set.

use std::fmt;
#[cfg(feature = "jwks")]
use std::time::Duration;

use super::{
    AuthError, Authenticator, Credentials, Identity, ProvenClaims, SignatureCheck,
    hmac::HmacKey,
    inspection::{Inspection, judge},
    keys::TokenKeys,
};
#[cfg(feature = "jwks")]
use super::{
    claims::key_id,
    jwks::{DuplicateIssuer, FoundSet, JwksError, JwksSource, KeySetStats},
};
use crate::values::time;

/// An [`Authenticator`] for HS256 tokens with the claims `userId` (or `sub`), `role` and `exp`.
/// With the feature `jwks` also for RS256, ES256 and EdDSA tokens of issuers that publish their
/// keys.
///
/// A token that names another algorithm is refused, whatever its signature, and so is one whose
/// header has `crit`, `zip`, `enc` or `b64`. `exp` is required, `nbf` is checked if the token has
/// it, and clocks may differ by 5 s. Both are numbers of seconds, which may have fractions. Ids may
/// be whole numbers from 0 to 2^53 - 1, which are read as their decimal text. `sub` is ignored
/// beside `userId`, and so are `aud` and `iss` unless [`audience`](Self::audience) or
/// [`issuer`](Self::issuer) names some.
///
/// `iat` is read for [revocation](crate::revocation). A token whose `iat` is more than 5 s in the
/// future is refused, since a revocation until now would not be of it. An `iat` that is no number
/// counts as absent.
///
/// It verifies tokens and does not make them: your login does, with
/// [`sign_hs256`](super::sign_hs256) or any JWT library. To verify the tokens of REST requests too,
/// call [`Realtime::authenticate`](crate::Realtime::authenticate).
///
/// ```
/// use metaia_realtime::JwtAuthenticator;
/// let authenticator = JwtAuthenticator::hs256("a secret of at least one byte")?;
/// # Ok::<(), metaia_realtime::auth::InvalidSecret>(())
/// ```
pub struct JwtAuthenticator {
    keys: TokenKeys,
}

impl JwtAuthenticator {
    /// Accepts no token: secrets and key sets are added to it, as they are configured.
    #[must_use]
    pub fn without_keys() -> Self {
        Self {
            keys: TokenKeys::default(),
        }
    }

    /// Accepts tokens signed with `secret`.
    ///
    /// # Errors
    /// Returns [`InvalidSecret`] if the secret is empty: anyone could sign with it.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, InvalidSecret> {
        Self::without_keys().or_hs256(secret)
    }

    /// Accepts tokens signed with `secret` too: the old secret, during a change of secrets.
    ///
    /// # Errors
    /// Returns [`InvalidSecret`] if the secret is empty.
    pub fn or_hs256(mut self, secret: impl AsRef<[u8]>) -> Result<Self, InvalidSecret> {
        let key = HmacKey::hs256(secret.as_ref()).ok_or(InvalidSecret)?;
        self.keys.secrets.push(key);
        Ok(self)
    }

    /// Accepts tokens that are signed with a key of this source, and begins to load the keys. They
    /// are loaded again until the authenticator is dropped.
    ///
    /// # Panics
    /// If it is called outside of a Tokio runtime.
    #[cfg(feature = "jwks")]
    #[must_use]
    pub fn jwks(source: JwksSource) -> Self {
        let mut authenticator = Self::without_keys();
        // There is no other one yet.
        let _ = authenticator.keys.sets.add(source);
        authenticator
    }

    /// Accepts tokens that are signed with a key of this source, too: each issuer has its own.
    ///
    /// # Errors
    /// Returns [`DuplicateIssuer`] if another source has the same issuer, or has none like this
    /// one.
    ///
    /// # Panics
    /// If it is called outside of a Tokio runtime.
    #[cfg(feature = "jwks")]
    pub fn or_jwks(mut self, source: JwksSource) -> Result<Self, DuplicateIssuer> {
        self.keys.sets.add(source)?;
        Ok(self)
    }

    /// Accepts HS256 tokens only if `iss` is this issuer, or another one that is added. The issuer
    /// of tokens of a key set is set there.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.keys.issuers.push(issuer.into());
        self
    }

    /// Accepts HS256 tokens only if `aud` is this audience, or another one that is added, or a list
    /// with one of them. The audience of tokens of a key set is set there.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.keys.audiences.push(audience.into());
        self
    }

    /// Returns the state of each key set, in the order in which they were added: for metrics.
    #[cfg(feature = "jwks")]
    #[must_use]
    pub fn key_set_stats(&self) -> Vec<KeySetStats> {
        self.keys.sets.stats()
    }

    /// Waits until each key set was loaded or could not be loaded: for tools that check one token.
    /// A server need not wait: a token waits for its keys.
    ///
    /// # Errors
    /// Returns the place of the first source that could not be loaded, and why.
    ///
    /// # Cancel safety
    /// The keys are loaded all the same if the future is dropped.
    #[cfg(feature = "jwks")]
    pub async fn wait_for_keys(&self) -> Result<(), (String, std::sync::Arc<JwksError>)> {
        self.keys.sets.first_attempts().await
    }

    /// Returns the identity that the token proves, also of one that was revoked:
    /// [`Realtime::authenticate`](crate::Realtime::authenticate) refuses that. [`inspect_token`]
    /// says what is wrong with a token that proves no identity.
    ///
    /// It looks at the keys that are known and does not wait for others: use
    /// [`authenticate`](Authenticator::authenticate) if there are key sets.
    ///
    /// # Errors
    /// Returns [`AuthError::Expired`] if the token was valid once, [`AuthError::Forbidden`] if its
    /// role is unknown, [`AuthError::Unavailable`] if the keys of its issuer are not known at the
    /// moment, and [`AuthError::Unauthorized`] otherwise.
    pub fn verify(&self, token: &str) -> Result<Identity, AuthError> {
        inspect_token(token, Some(self), time::unix_ms()).verdict()
    }

    /// Returns the identity that the token proves. If nothing else is wrong with it, it waits for a
    /// key that is not known.
    #[cfg(feature = "jwks")]
    async fn verify_with_new_keys(&self, token: &str) -> Result<Identity, AuthError> {
        let inspection = inspect_token(token, Some(self), time::unix_ms());
        if !inspection.lacks_key_alone() {
            return inspection.verdict();
        }
        match self.keys.set_of(&inspection.claims) {
            Some(set) if !set.ask().await => self.verify_with_old_keys(token, &set),
            _ => self.verify(token),
        }
    }

    /// Returns the identity that the token proves. If its key is not known, it may be one that was
    /// published after the last load, so that the token must not be refused for good.
    #[cfg(feature = "jwks")]
    fn verify_with_old_keys(&self, token: &str, set: &FoundSet<'_>) -> Result<Identity, AuthError> {
        let inspection = inspect_token(token, Some(self), time::unix_ms());
        let may_be_new = inspection.lacks_key_alone() && !was_removed(&inspection, set);
        if may_be_new {
            return Err(AuthError::Unavailable);
        }
        inspection.verdict()
    }

    #[cfg(not(feature = "jwks"))]
    fn verify_with_new_keys(
        &self,
        token: &str,
    ) -> impl Future<Output = Result<Identity, AuthError>> + Send {
        std::future::ready(self.verify(token))
    }
}

/// Returns whether the key of a token is one that its issuer has removed.
#[cfg(feature = "jwks")]
fn was_removed(inspection: &Inspection, set: &FoundSet<'_>) -> bool {
    let id = key_id(&inspection.header).ok().flatten();
    id.is_some_and(|id| set.has_removed(&id))
}

/// Judges a token at a time, in ms since the Unix epoch. [`JwtAuthenticator::verify`] does the same
/// at the present time, so that no tool and no server that use it disagree.
///
/// Without an authenticator the signature is not checked, and the verdict is a refusal.
///
/// ```
/// use metaia_realtime::{JwtAuthenticator, auth::{inspect_token, sign_hs256}};
///
/// let claims = serde_json::json!({ "sub": 42, "role": "customer", "exp": 1.9e9 });
/// let token = sign_hs256(&claims, "my secret")?;
/// let authenticator = JwtAuthenticator::hs256("my secret")?;
/// let inspection = inspect_token(&token, Some(&authenticator), 1_800_000_000_000);
/// assert_eq!(inspection.verdict()?.user.as_str(), "42");
/// let later = inspect_token(&token, Some(&authenticator), 2_000_000_000_000);
/// assert_eq!(later.verdict().unwrap_err().code(), "token_expired");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn inspect_token(
    token: &str,
    authenticator: Option<&JwtAuthenticator>,
    now_ms: i64,
) -> Inspection {
    judge(token, authenticator.map(|one| &one.keys), now_ms)
}

impl fmt::Debug for JwtAuthenticator {
    /// Writes the number of secrets and of key sets, not the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("JwtAuthenticator");
        shown.field("secrets", &self.keys.secrets.len());
        #[cfg(feature = "jwks")]
        shown.field("key_sets", &self.keys.sets.len());
        shown.finish()
    }
}

impl Authenticator for JwtAuthenticator {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        match credentials.token {
            Some(token) => self.verify_with_new_keys(&token).await,
            None => Err(AuthError::Unauthorized),
        }
    }

    /// Returns the user and the role of a token that is signed with a known secret.
    fn proven_claims(&self, credentials: &Credentials) -> ProvenClaims {
        let token = credentials.token.as_deref().unwrap_or_default();
        let inspection = inspect_token(token, Some(self), time::unix_ms());
        if inspection.signature != SignatureCheck::Good {
            return ProvenClaims::default();
        }
        ProvenClaims {
            user: inspection.user,
            role: inspection.role,
        }
    }

    /// Returns the time after which the keys of the token's issuer may be loaded again.
    #[cfg(feature = "jwks")]
    fn retry_after(&self, credentials: &Credentials) -> Option<Duration> {
        let token = credentials.token.as_deref()?;
        let inspection = inspect_token(token, Some(self), time::unix_ms());
        if !inspection.lacks_key_alone() {
            return None;
        }
        let set = self.keys.set_of(&inspection.claims)?;
        Some(set.until_news())
    }
}

/// Error for an empty secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty")]
pub struct InvalidSecret;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use serde_json::{Value, json};

    const SECRET: &str = "test-secret";

    /// Returns the time in `seconds` from now, in seconds since the Unix epoch.
    fn in_s(seconds: i64) -> i64 {
        time::unix_ms() / 1000 + seconds
    }

    fn token(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
        crate::auth::enable_hmac();
        let key = EncodingKey::from_secret(secret.as_bytes()).unwrap();
        encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    fn verify(claims: &Value) -> Result<Identity, AuthError> {
        JwtAuthenticator::hs256(SECRET)
            .unwrap()
            .verify(&token(claims, Algorithm::HS256, SECRET))
    }

    #[test]
    fn claims_become_an_identity() {
        let exp = in_s(60);
        let who =
            verify(&json!({ "userId": "u1", "role": "customer", "exp": exp, "jti": "t" })).unwrap();
        assert_eq!((who.user.as_str(), who.role), ("u1", Role::Customer));
        assert_eq!(who.expires_at, Some(exp * 1000));
        assert_eq!(who.token_id.as_deref(), Some("t"));
        let who = verify(&json!({ "sub": "d1", "role": "delivery_partner", "exp": exp })).unwrap();
        assert_eq!((who.user.as_str(), who.role), ("d1", Role::Delivery));
    }

    #[test]
    fn each_refusal_has_its_code() {
        let exp = in_s(60);
        for (claims, code) in [
            (
                json!({ "userId": "u1", "role": "customer", "exp": in_s(-60) }),
                "token_expired",
            ),
            (
                json!({ "userId": "u1", "role": "customer" }),
                "unauthorized",
            ),
            (
                json!({ "userId": "u1", "role": "customer", "exp": "soon" }),
                "unauthorized",
            ),
            (
                json!({ "userId": "u1", "role": "customer", "exp": null }),
                "unauthorized",
            ),
            (
                json!({ "userId": "u1", "role": "customer", "exp": -1 }),
                "token_expired",
            ),
            (
                json!({ "userId": "u1", "role": "customer", "exp": exp, "nbf": in_s(60) }),
                "unauthorized",
            ),
            (
                json!({ "userId": "u1", "role": "root", "exp": exp }),
                "forbidden",
            ),
            (json!({ "userId": "u1", "exp": exp }), "forbidden"),
            (
                json!({ "userId": "u 1", "role": "customer", "exp": exp }),
                "unauthorized",
            ),
            (json!({ "role": "customer", "exp": exp }), "unauthorized"),
        ] {
            assert_eq!(verify(&claims).unwrap_err().code(), code, "{claims}");
        }
    }

    #[test]
    fn clocks_may_differ_by_five_seconds() {
        assert!(verify(&json!({ "userId": "u", "role": "admin", "exp": in_s(-3) })).is_ok());
        assert!(verify(&json!({ "userId": "u", "role": "admin", "exp": in_s(-8) })).is_err());
    }

    #[test]
    fn another_algorithm_or_secret_is_refused() {
        let claims = json!({ "userId": "u1", "role": "admin", "exp": in_s(60) });
        let authenticator = JwtAuthenticator::hs256(SECRET).unwrap();
        for token in [
            token(&claims, Algorithm::HS512, SECRET),
            token(&claims, Algorithm::HS384, SECRET),
            token(&claims, Algorithm::HS256, "another"),
            String::new(),
            "a.b".to_owned(),
            "a.b.c.d.e".to_owned(),
        ] {
            assert_eq!(
                authenticator.verify(&token),
                Err(AuthError::Unauthorized),
                "{token}"
            );
        }
        let good = token(&claims, Algorithm::HS256, SECRET);
        let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
        assert_eq!(
            authenticator.verify(&unsigned),
            Err(AuthError::Unauthorized)
        );
    }

    #[test]
    fn an_old_secret_is_accepted_while_it_is_listed() {
        let claims = json!({ "userId": "u1", "role": "admin", "exp": in_s(60) });
        let old = token(&claims, Algorithm::HS256, "old");
        let authenticator = JwtAuthenticator::hs256(SECRET).unwrap();
        assert!(authenticator.verify(&old).is_err());
        assert!(authenticator.or_hs256("old").unwrap().verify(&old).is_ok());
        assert!(JwtAuthenticator::hs256("").is_err());
    }
}
