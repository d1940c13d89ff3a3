//! The present identity of a session: what its token proves. `rt:refresh` replaces it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::time::Instant;

use super::Session;
use crate::{Identity, Role, auth::LEEWAY_MS, device::DeviceKey, values::time};

/// The time before the end of a token at which its client is told, in ms.
const EXPIRING_BEFORE_MS: i64 = 60_000;

/// A verified identity of a session's user, from the time on at which its token was accepted.
#[derive(Debug)]
pub(crate) struct SessionIdentity {
    pub(crate) who: Identity,
    /// The key under which the position of the client is stored; `None` if it is not stored.
    pub(crate) device_key: Option<DeviceKey>,
    /// In ms since the Unix epoch.
    accepted_at: i64,
    accepted: Instant,
    /// The client was told that the token expires soon.
    is_announced: AtomicBool,
}

impl SessionIdentity {
    /// Returns an identity whose token was accepted at `accepted_at`, which is now, in ms since the
    /// Unix epoch.
    pub(super) fn new(who: Identity, device_key: Option<DeviceKey>, accepted_at: i64) -> Self {
        Self {
            who,
            device_key,
            accepted_at,
            accepted: Instant::now(),
            is_announced: AtomicBool::new(false),
        }
    }

    /// Returns the time by which the end of the token is judged, in ms since the Unix epoch. If the
    /// wall clock is set back, time goes on all the same: a token must not last longer for that.
    pub(super) fn now(&self) -> i64 {
        let elapsed = i64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(i64::MAX);
        time::unix_ms().max(self.accepted_at.saturating_add(elapsed))
    }

    /// Returns when the session ends because of the token, in ms since the Unix epoch; `None` if
    /// the token does not expire.
    pub(super) fn end(&self) -> Option<i64> {
        Some(session_end(self.who.expires_at?, self.accepted_at))
    }

    /// Returns when the client is to be told that the token expires soon, in ms since the Unix
    /// epoch; `None` if it was told, or the token does not expire.
    pub(super) fn announcement(&self) -> Option<i64> {
        if self.is_announced.load(Ordering::Relaxed) {
            return None;
        }
        let expires_at = self.who.expires_at?;
        Some(expires_at.saturating_sub(EXPIRING_BEFORE_MS))
    }

    /// Records that the client is told that the token expires soon.
    pub(super) fn set_announced(&self) {
        self.is_announced.store(true, Ordering::Relaxed);
    }

    /// Records that this identity replaces `before`. If both are equal, the token is the same one,
    /// and its client is not told again that it expires soon: a client that refreshes whenever it
    /// is told would do so without end.
    pub(super) fn follow(&self, before: &Self) {
        if self.who == before.who && before.is_announced.load(Ordering::Relaxed) {
            self.set_announced();
        }
    }
}

impl Session {
    /// Returns the present identity.
    pub(crate) fn identity(&self) -> Arc<SessionIdentity> {
        Arc::clone(&self.identity.read())
    }

    /// Returns the present role.
    pub(crate) fn role(&self) -> Role {
        self.identity.read().who.role
    }

    /// Replaces the identity by another one of the same user.
    pub(crate) fn replace_identity(&self, next: Arc<SessionIdentity>) {
        *self.identity.write() = next;
    }
}

/// Returns when a session ends whose token expires at `expires_at` and was accepted at
/// `accepted_at`, all in ms since the Unix epoch.
///
/// An authenticator accepts a token for a while after its end, since clocks differ. A session of
/// such a token lasts for that leeway: if it were closed at once, its client would reconnect in a
/// loop.
const fn session_end(expires_at: i64, accepted_at: i64) -> i64 {
    if accepted_at < expires_at {
        expires_at
    } else {
        expires_at.saturating_add(LEEWAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_taken_after_its_end_lasts_as_long_as_clocks_may_differ() {
        assert_eq!(session_end(10_000, 9_999), 10_000);
        assert_eq!(session_end(10_000, 10_000), 15_000);
        assert_eq!(session_end(i64::MAX, i64::MAX), i64::MAX);
    }
}
