//! How much of the past each user may ask for: so many entries at once, and then so many per
//! minute. A client in a loop that shows the same old position again and again is told to reload
//! instead. Looking how much there is counts for some entries too: it takes the log as long when
//! nothing comes of it.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{Limits, UserId};

/// How often the largest replay is granted at once.
const BURST: u32 = 4;

/// So many looks at the log count as much as the largest replay.
const LOOKS: usize = 100;

/// What each user may still ask for. Bounded by those who asked within the last minutes.
pub(crate) struct ReplayBudget {
    entries: DefaultKeyedRateLimiter<UserId>,
    look: usize,
}

impl ReplayBudget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let most = u32::try_from(limits.replay_entries).unwrap_or(u32::MAX / BURST);
        let positive = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::per_minute(positive(most)).allow_burst(positive(most.saturating_mul(BURST)));
        Self {
            entries: RateLimiter::keyed(quota),
            look: limits.replay_entries / LOOKS,
        }
    }

    /// Whether the log may be asked for the user's past now, whatever comes of it.
    pub(crate) fn afford_look(&self, user: &UserId) -> bool {
        self.afford(user, self.look)
    }

    /// Whether the user may have so many entries replayed now; if so they are counted.
    pub(crate) fn afford(&self, user: &UserId, entries: usize) -> bool {
        let Some(entries) = u32::try_from(entries).ok().and_then(NonZeroU32::new) else {
            return entries == 0;
        };
        let affordable = matches!(self.entries.check_key_n(user, entries), Ok(Ok(())));
        if !affordable {
            tracing::debug!(%user, "asks for the past too often: told to reload instead");
        }
        affordable
    }

    /// Forgets those who have long not asked.
    pub(crate) fn forget_old(&self) {
        self.entries.retain_recent();
        self.entries.shrink_to_fit();
    }

    /// How many users it has in mind.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_budget_of_their_own() {
        let replays = ReplayBudget::new(&Limits {
            replay_entries: 100,
            ..Limits::default()
        });
        let (one, other): (UserId, UserId) = ("u1".parse().unwrap(), "u2".parse().unwrap());
        assert!((0..4).all(|_| replays.afford(&one, 100)));
        assert!(!replays.afford(&one, 100));
        assert!(replays.afford(&one, 0) && replays.afford(&other, 100));
        assert_eq!(replays.len(), 2);
    }

    #[test]
    fn who_looks_again_and_again_is_not_looked_for() {
        let replays = ReplayBudget::new(&Limits {
            replay_entries: 1_000,
            ..Limits::default()
        });
        let user: UserId = "u1".parse().unwrap();
        assert!((0..400).all(|_| replays.afford_look(&user) && replays.afford(&user, 0)));
        assert!(!replays.afford_look(&user));
        let small = ReplayBudget::new(&Limits {
            replay_entries: 3,
            ..Limits::default()
        });
        assert!((0..400).all(|_| small.afford_look(&user)));
    }
}
