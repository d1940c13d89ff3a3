//! The replay budget: how many entries the server replays to each user, as a burst and a rate per
//! minute. A client that sends the same old position again and again is told to reload instead.
//! Each read of the log's history to judge a position is charged, too: it costs the log as much
//! even if no entry is replayed.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{Limits, UserId, values::at_least_one};

/// The number of replays of the largest size that a user may have at once.
const BURST_REPLAYS: u32 = 4;

/// This many reads of the log's history are charged as much as one replay of the largest size.
const READS_PER_REPLAY: usize = 100;

/// The budget that each user has left. It has the users of the last minutes.
pub(crate) struct ReplayBudget {
    entries: DefaultKeyedRateLimiter<UserId>,
    /// The price of one read, in entries.
    read: usize,
}

impl ReplayBudget {
    pub(super) fn new(limits: &Limits) -> Self {
        let per_minute = u32::try_from(limits.replay_entries).unwrap_or(u32::MAX / BURST_REPLAYS);
        let burst = per_minute.saturating_mul(BURST_REPLAYS);
        let quota = Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(burst));
        Self {
            entries: RateLimiter::keyed(quota),
            read: limits.replay_entries / READS_PER_REPLAY,
        }
    }

    /// Charges the user for one read of the log's history. Returns `false`, and charges nothing, if
    /// the budget is used up.
    pub(crate) fn charge_read(&self, user: &UserId) -> bool {
        self.charge(user, self.read)
    }

    /// Charges the user for a replay of `entries`. Returns `false`, and charges nothing, if the
    /// budget does not suffice.
    pub(crate) fn charge(&self, user: &UserId, entries: usize) -> bool {
        let Some(entries) = u32::try_from(entries).ok().and_then(NonZeroU32::new) else {
            // 0 costs nothing; more than `u32::MAX` is more than any budget.
            return entries == 0;
        };
        let is_affordable = matches!(self.entries.check_key_n(user, entries), Ok(Ok(())));
        if !is_affordable {
            tracing::debug!(%user, "the replay budget is used up: the client is told to reload");
        }
        is_affordable
    }

    /// Forgets the users that have a full budget again.
    pub(super) fn shrink(&self) {
        self.entries.retain_recent();
        self.entries.shrink_to_fit();
    }

    /// Returns how many users are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(replay_entries: usize) -> ReplayBudget {
        ReplayBudget::new(&Limits {
            replay_entries,
            ..Limits::default()
        })
    }

    #[test]
    fn each_user_has_a_budget() {
        let budget = budget(100);
        let one: UserId = "u1".parse().unwrap();
        let other: UserId = "u2".parse().unwrap();
        assert!((0..4).all(|_| budget.charge(&one, 100)));
        assert!(!budget.charge(&one, 100));
        assert!(budget.charge(&one, 0));
        assert!(budget.charge(&other, 100));
        assert_eq!(budget.len(), 2);
    }

    #[test]
    fn reads_are_charged_though_nothing_is_replayed() {
        let user: UserId = "u1".parse().unwrap();
        let large = budget(1_000);
        assert!((0..400).all(|_| large.charge_read(&user) && large.charge(&user, 0)));
        assert!(!large.charge_read(&user));
        let small = budget(3);
        assert!((0..400).all(|_| small.charge_read(&user)));
    }
}
