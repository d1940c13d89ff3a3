//! The end of a session's token.

use std::{future::Future, time::Duration};

use tokio::time::Instant;

use super::Session;
use crate::{
    auth::LEEWAY_MS,
    planted_faults::{Fault, planted},
    values::time,
};

/// The time between two comparisons of the end of a token with the clock, since wall time may jump.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

impl Session {
    /// Returns whether the session's token has expired.
    pub(super) fn is_expired(&self) -> bool {
        self.token_end().is_some_and(|end| end <= time::unix_ms())
    }

    /// Waits until the session's token has expired; for ever if it does not expire. Cancel safe.
    pub(super) fn expired(&self) -> impl Future<Output = ()> + use<> {
        let end = self.token_end();
        async move {
            let Some(end) = end else {
                return std::future::pending().await;
            };
            loop {
                let left_ms = u64::try_from(end.saturating_sub(time::unix_ms())).unwrap_or(0);
                if left_ms == 0 {
                    return;
                }
                let left = Duration::from_millis(left_ms);
                tokio::time::sleep(left.min(CHECK_INTERVAL)).await;
            }
        }
    }

    /// Returns when a session that is not being driven is to be, since its token may have expired;
    /// `None` if the token does not expire.
    pub(crate) fn next_expiry_check(&self) -> Option<Instant> {
        let left_ms = self.token_end()?.saturating_sub(time::unix_ms());
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        Some(Instant::now() + left.min(CHECK_INTERVAL))
    }

    /// Returns when the session ends because of its token, in ms since the Unix epoch; `None` if
    /// the token does not expire.
    fn token_end(&self) -> Option<i64> {
        if planted(Fault::SessionOutlivesToken) {
            return None;
        }
        let expires_at = self.identity.expires_at?;
        Some(session_end(expires_at, self.connected_at))
    }
}

/// Returns when a session ends whose token expires at `expires_at`, all in ms since the Unix epoch.
///
/// An authenticator accepts a token for a while after its end, since clocks differ. A session of
/// such a token lasts for that leeway: if it were closed at once, its client would reconnect in a
/// loop.
const fn session_end(expires_at: i64, connected_at: i64) -> i64 {
    if connected_at < expires_at {
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
