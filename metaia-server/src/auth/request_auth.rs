//! Authentication of REST requests by token or API key, and the rate limit per user.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use metaia_realtime::{
    Realtime, Role, UserId,
    auth::{AuthError, Credentials, ProvenClaims},
    planted_faults::{Fault, planted},
};

use crate::{auth::secrets::Secret, model::Caller};

/// The number of requests between two removals of idle users from the rate table.
const CLEANUP_INTERVAL: u32 = 4_096;

/// The burst of a user, as a multiple of the rate per second.
const BURST_FACTOR: NonZeroU32 = const { NonZeroU32::new(2).unwrap() };

/// Authenticates each REST request and limits the rate of each user.
///
/// The rates are kept in memory; admins and the API key have no limit. The table is bounded: every
/// 4,096 requests (`CLEANUP_INTERVAL`) it drops the users whose full burst is available again.
pub struct RequestAuth {
    realtime: Realtime,
    api_key: Option<Secret>,
    rates: DefaultKeyedRateLimiter<UserId>,
    counted: AtomicU32,
}

/// The credentials that a request carries.
#[derive(Clone, Copy)]
pub(crate) enum RequestCredentials<'a> {
    None,
    Token(&'a str),
    ApiKey(&'a [u8]),
}

/// The reason why a request is refused before it reaches its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthRefusal {
    Token(AuthError),
    /// The token cannot be judged now, and may be after this time, if that is known.
    Unavailable {
        retry_after: Option<Duration>,
    },
    WrongKey,
    RateLimited {
        retry_after: Duration,
    },
}

impl RequestAuth {
    /// Accepts the tokens that sessions are accepted with
    /// ([`Realtime::authenticate`](metaia_realtime::Realtime::authenticate)). Allows each user
    /// `per_s` requests per second, and bursts of twice as many.
    #[must_use]
    pub fn new(realtime: Realtime, api_key: Option<Secret>, per_s: NonZeroU32) -> Self {
        let burst = per_s.saturating_mul(BURST_FACTOR);
        let quota = Quota::per_second(per_s).allow_burst(burst);
        Self {
            realtime,
            api_key,
            rates: RateLimiter::keyed(quota),
            counted: AtomicU32::new(0),
        }
    }

    /// Returns the caller whom the credentials identify, and counts the request.
    pub(crate) async fn authenticate(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Caller, AuthRefusal> {
        match credentials {
            RequestCredentials::None => Err(AuthRefusal::Token(AuthError::Unauthorized)),
            RequestCredentials::ApiKey(key) => self.check_key(key),
            RequestCredentials::Token(token) => self.check_token(token).await,
        }
    }

    /// Returns what refused credentials prove all the same.
    pub(crate) fn proven_claims(&self, credentials: RequestCredentials<'_>) -> ProvenClaims {
        match credentials {
            RequestCredentials::Token(token) => {
                let credentials = Credentials::bearer(Some(token));
                self.realtime.proven_claims(&credentials)
            }
            _ => ProvenClaims::default(),
        }
    }

    fn check_key(&self, given: &[u8]) -> Result<Caller, AuthRefusal> {
        match &self.api_key {
            Some(key) if key.is(given) => Ok(Caller::ApiKey),
            _ => Err(AuthRefusal::WrongKey),
        }
    }

    async fn check_token(&self, token: &str) -> Result<Caller, AuthRefusal> {
        let credentials = Credentials::bearer(Some(token));
        let authenticated = self.realtime.authenticate(credentials.clone()).await;
        let identity = authenticated.map_err(|error| match error {
            AuthError::Unavailable => AuthRefusal::Unavailable {
                retry_after: self.realtime.retry_after(&credentials),
            },
            error => AuthRefusal::Token(error),
        })?;
        if identity.role != Role::Admin && !planted(Fault::RateUnlimited) {
            self.count(&identity.user)?;
        }
        Ok(Caller::user(identity.user, identity.role))
    }

    fn count(&self, user: &UserId) -> Result<(), AuthRefusal> {
        let counted = self.counted.fetch_add(1, Relaxed);
        if counted % CLEANUP_INTERVAL == CLEANUP_INTERVAL - 1 {
            self.rates.retain_recent();
        }
        self.rates.check_key(user).map_err(|not_until| {
            let retry_after = not_until.wait_time_from(self.rates.clock().now());
            AuthRefusal::RateLimited { retry_after }
        })
    }
}

impl std::fmt::Debug for RequestAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestAuth")
            .field("api_key", &self.api_key.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metaia_realtime::{JwtAuthenticator, Limits, auth::sign_hs256};

    async fn request_auth(per_s: u32) -> RequestAuth {
        request_auth_with(per_s, Limits::default()).await
    }

    async fn request_auth_with(per_s: u32, limits: Limits) -> RequestAuth {
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        let builder = Realtime::builder().authenticator(authenticator);
        RequestAuth::new(
            builder.limits(limits).build().await.unwrap(),
            Some("key".into()),
            NonZeroU32::new(per_s).unwrap(),
        )
    }

    #[tokio::test]
    async fn each_user_has_their_own_rate() {
        let auth = request_auth(1).await;
        let [one, other] = ["u1", "u2"].map(|user| user.parse::<UserId>().unwrap());
        assert_eq!(auth.count(&one), Ok(()));
        assert_eq!(auth.count(&one), Ok(()));
        assert!(matches!(
            auth.count(&one),
            Err(AuthRefusal::RateLimited { .. })
        ));
        assert_eq!(auth.count(&other), Ok(()));
    }

    #[tokio::test]
    async fn a_token_is_as_long_as_that_of_a_session() {
        let pad = "x".repeat(1_000);
        let claims = serde_json::json!({
            "userId": "u1", "role": "admin", "exp": u32::MAX, "pad": pad,
        });
        let token = sign_hs256(&claims, "secret").unwrap();
        for (token_bytes, expected) in [
            (token.len(), Ok(())),
            (
                token.len() - 1,
                Err(AuthRefusal::Token(AuthError::Unauthorized)),
            ),
        ] {
            let mut limits = Limits::default();
            limits.token_bytes = token_bytes;
            let auth = request_auth_with(1, limits).await;
            let asked = auth.authenticate(RequestCredentials::Token(&token)).await;
            assert_eq!(asked.map(drop), expected);
        }
    }

    #[tokio::test]
    async fn the_key_is_the_whole_key() {
        let auth = request_auth(1).await;
        for _ in 0..10 {
            assert_eq!(
                auth.authenticate(RequestCredentials::ApiKey(b"key")).await,
                Ok(Caller::ApiKey)
            );
        }
        for wrong in [&b"ke"[..], b"keys", b""] {
            assert_eq!(
                auth.authenticate(RequestCredentials::ApiKey(wrong)).await,
                Err(AuthRefusal::WrongKey)
            );
        }
        let keyless = RequestAuth {
            api_key: None,
            ..auth
        };
        assert_eq!(
            keyless.authenticate(RequestCredentials::ApiKey(b"")).await,
            Err(AuthRefusal::WrongKey)
        );
    }

    #[tokio::test]
    async fn idle_users_are_removed() {
        let auth = request_auth(1_000_000).await;
        for n in 0..3 * CLEANUP_INTERVAL {
            auth.count(&format!("u{n}").parse().unwrap()).unwrap();
        }
        assert!(
            auth.rates.len() < 2 * CLEANUP_INTERVAL as usize,
            "{} users",
            auth.rates.len()
        );
    }
}
