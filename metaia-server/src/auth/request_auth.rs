//! Who may come in, and how often: tokens, the API key, and the rate of REST requests.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use metaia_realtime::{JwtAuthenticator, Role, UserId, auth::AuthError};

use crate::{auth::secrets::Secret, model::Caller};

/// After so many requests, users who are at rest are forgotten.
const SWEEP: u32 = 4_096;

/// In bytes; the same as for Socket.IO.
const LONGEST_TOKEN: usize = 4 * 1024;

/// Decides about each REST request.
///
/// The rate is per user and kept in memory; admins and the API key have none. The table is bounded:
/// every 4,096 requests those are forgotten who could do their full burst again.
pub struct Gate {
    authenticator: JwtAuthenticator,
    api_key: Option<Secret>,
    rates: DefaultKeyedRateLimiter<UserId>,
    counted: AtomicU32,
}

/// What a request showed of itself.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    Nothing,
    Token(&'a str),
    Key(&'a [u8]),
}

/// Why a request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Auth(AuthError),
    WrongKey,
    TooOften { retry_after: Duration },
}

impl Gate {
    /// A gate that lets `per_s` requests per second of each user through, and twice as many at
    /// once.
    #[must_use]
    pub fn new(
        authenticator: JwtAuthenticator,
        api_key: Option<Secret>,
        per_s: NonZeroU32,
    ) -> Self {
        let quota = Quota::per_second(per_s)
            .allow_burst(per_s.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Self {
            authenticator,
            api_key,
            rates: RateLimiter::keyed(quota),
            counted: AtomicU32::new(0),
        }
    }

    pub(crate) fn admit(&self, shown: Shown<'_>) -> Result<Caller, Refused> {
        match shown {
            Shown::Nothing => Err(Refused::Auth(AuthError::Unauthorized)),
            Shown::Key(key) => self.key(key),
            Shown::Token(token) => self.token(token),
        }
    }

    fn key(&self, given: &[u8]) -> Result<Caller, Refused> {
        let good = self.api_key.as_ref().is_some_and(|key| key.is(given));
        if good {
            Ok(Caller::ApiKey)
        } else {
            Err(Refused::WrongKey)
        }
    }

    fn token(&self, token: &str) -> Result<Caller, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::Auth(AuthError::Unauthorized));
        }
        let who = self.authenticator.verify(token).map_err(Refused::Auth)?;
        if who.role != Role::Admin {
            self.count(&who.user)?;
        }
        Ok(Caller::user(who.user, who.role))
    }

    fn count(&self, user: &UserId) -> Result<(), Refused> {
        if self.counted.fetch_add(1, Relaxed) % SWEEP == SWEEP - 1 {
            self.rates.retain_recent();
        }
        self.rates.check_key(user).map_err(|not_until| {
            let retry_after = not_until.wait_time_from(self.rates.clock().now());
            Refused::TooOften { retry_after }
        })
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("api_key", &self.api_key.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(per_s: u32) -> Gate {
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        Gate::new(
            authenticator,
            Some("key".into()),
            NonZeroU32::new(per_s).unwrap(),
        )
    }

    #[test]
    fn each_user_has_a_rate_of_their_own() {
        let gate = gate(1);
        let [one, other] = ["u1", "u2"].map(|user| user.parse::<UserId>().unwrap());
        assert_eq!((gate.count(&one), gate.count(&one)), (Ok(()), Ok(())));
        assert!(matches!(gate.count(&one), Err(Refused::TooOften { .. })));
        assert_eq!(gate.count(&other), Ok(()));
    }

    #[test]
    fn the_key_is_the_whole_key() {
        let gate = gate(1);
        for _ in 0..10 {
            assert_eq!(gate.admit(Shown::Key(b"key")), Ok(Caller::ApiKey));
        }
        for wrong in [&b"ke"[..], b"keys", b""] {
            assert_eq!(gate.admit(Shown::Key(wrong)), Err(Refused::WrongKey));
        }
        let keyless = Gate {
            api_key: None,
            ..gate
        };
        assert_eq!(keyless.admit(Shown::Key(b"")), Err(Refused::WrongKey));
    }

    #[test]
    fn those_at_rest_are_forgotten() {
        let gate = gate(1_000_000);
        for n in 0..3 * SWEEP {
            gate.count(&format!("u{n}").parse().unwrap()).unwrap();
        }
        assert!(
            gate.rates.len() < 2 * SWEEP as usize,
            "{} users",
            gate.rates.len()
        );
    }
}
