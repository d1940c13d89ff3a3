//! The decision budget: how many access decisions each user may cause, as a burst and a rate. The
//! policy usually reads a database, and one user may have many sessions.
//!
//! A join by an event is refused when the budget is used up, and so is a new token with another
//! role: access to all order rooms is then decided again. The rooms that a client names when it
//! connects wait for it, since a client that resumes needs all of them. Other rechecks cost
//! nothing: the server asks for them. The table has the users of the last minute: those that have
//! their whole budget again are forgotten.

use tokio::time::Instant;

use crate::{Limits, UserId, rate::KeyedRate};

/// The budget that each user has left.
pub(crate) struct DecisionBudget(KeyedRate<UserId>);

impl DecisionBudget {
    pub(super) fn new(limits: &Limits) -> Self {
        let per_s = limits.access_decisions_per_s;
        Self(KeyedRate::new(limits.access_decisions_burst, per_s))
    }

    /// Charges the user for one decision. Returns `false`, and charges nothing, if the budget is
    /// used up.
    pub(crate) fn charge(&self, user: &UserId) -> bool {
        self.0.take(user).is_ok()
    }

    /// Charges the user for one decision as soon as the budget allows it. Returns `false`, and
    /// charges nothing, if that is not before `deadline`. Cancel safe.
    pub(crate) async fn charge_in_turn(&self, user: &UserId, deadline: Instant) -> bool {
        while let Err(wait) = self.0.take(user) {
            let next_try = Instant::now() + wait;
            if next_try > deadline {
                return false;
            }
            tokio::time::sleep_until(next_try).await;
        }
        true
    }

    /// Forgets the users that have their whole budget again.
    pub(super) fn shrink(&self) {
        self.0.forget_idle();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn user(name: &str) -> UserId {
        name.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_has_256_decisions_at_once_and_then_50_per_second() {
        let budget = DecisionBudget::new(&Limits::default());
        let charge_all = || (0..1_000).filter(|_| budget.charge(&user("u1"))).count();
        assert_eq!(charge_all(), 256);
        assert!(budget.charge(&user("u2")), "another user has its own");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(charge_all(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_decision_that_waits_for_its_turn_gets_it_before_the_deadline_or_not_at_all() {
        let budget = DecisionBudget::new(&Limits::default());
        let u1 = user("u1");
        while budget.charge(&u1) {}
        let began = Instant::now();
        for _ in 0..100 {
            let deadline = began + Duration::from_secs(10);
            assert!(budget.charge_in_turn(&u1, deadline).await);
        }
        let waited = began.elapsed();
        assert!((1_900..=2_100).contains(&waited.as_millis()), "{waited:?}");
        assert!(!budget.charge_in_turn(&u1, Instant::now()).await);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_users_are_forgotten() {
        let budget = DecisionBudget::new(&Limits::default());
        for n in 0..1_000 {
            budget.charge(&user(&format!("u{n}")));
        }
        tokio::time::advance(Duration::from_secs(6)).await;
        budget.shrink();
        assert_eq!(budget.0.len(), 0);
    }
}
