//! A set of revocations, as a node has them in memory. No I/O, and no clock.

use std::{collections::BTreeSet, sync::Arc};

use super::{Revocation, shards::Shards, value::issue_time};
use crate::{Identity, UserId};

/// The most records that one call removes: it holds up every check of a token meanwhile.
const MAX_REMOVED: usize = 1_000;

/// The revocations that a node knows: of each key the one with the greatest bound.
#[derive(Debug, Default)]
pub(crate) struct RevocationSet {
    users: Shards<UserId>,
    /// By `jti`, with the time when the record ends.
    tokens: Shards<Arc<str>>,
    /// The tokens whose end is known, the earliest first: so those that have ended are found
    /// without a look at all others.
    ends: BTreeSet<(i64, Arc<str>)>,
    everyone: Option<i64>,
}

impl RevocationSet {
    /// Adds a revocation. Returns true if it may be of a token that none of the set was of.
    pub(crate) fn insert(&mut self, revocation: &Revocation) -> bool {
        let bound = revocation.bound();
        match revocation {
            Revocation::User { user, .. } => raise(self.users.get_mut(user), bound)
                .unwrap_or_else(|| self.users.insert(user.clone(), bound).is_none()),
            Revocation::Token { jti, .. } => self.insert_token(jti, bound),
            Revocation::Everyone { .. } => {
                raise(self.everyone.as_mut(), bound).unwrap_or_else(|| {
                    self.everyone = Some(bound);
                    true
                })
            }
        }
    }

    /// Adds a token, or raises its end. Returns true if it is new.
    fn insert_token(&mut self, jti: &str, until: i64) -> bool {
        let known = self.tokens.get_key_value(jti);
        let known = known.map(|(jti, before)| (Arc::clone(jti), *before));
        let Some((jti, before)) = known else {
            self.insert_with_end(jti.into(), until);
            return true;
        };
        if before < until {
            self.ends.remove(&(before, Arc::clone(&jti)));
            self.insert_with_end(jti, until);
        }
        false
    }

    fn insert_with_end(&mut self, jti: Arc<str>, until: i64) {
        if until != i64::MAX {
            self.ends.insert((until, Arc::clone(&jti)));
        }
        self.tokens.insert(jti, until);
    }

    /// Returns true if one of the revocations is of the token of this identity.
    pub(crate) fn revokes(&self, identity: &Identity) -> bool {
        let issued_at = issue_time(identity);
        let is_until = |bound: &i64| issued_at <= *bound;
        let token_id = identity.token_id.as_deref();
        self.everyone.as_ref().is_some_and(is_until)
            || self.users.get(&identity.user).is_some_and(is_until)
            || token_id.is_some_and(|jti| self.tokens.get(jti).is_some())
    }

    /// Removes records of tokens that have ended at `now`, in ms since the Unix epoch, the earliest
    /// first and 1,000 (`MAX_REMOVED`) at most.
    pub(crate) fn remove_ended(&mut self, now: i64) {
        for _ in 0..MAX_REMOVED {
            let Some((until, _)) = self.ends.first() else {
                return;
            };
            if !Revocation::of_token("", Some(*until)).has_ended(now) {
                return;
            }
            if let Some((_, jti)) = self.ends.pop_first() {
                self.tokens.remove(&*jti);
            }
        }
    }

    /// Returns how many records there are.
    pub(crate) fn len(&self) -> usize {
        self.users.len() + self.tokens.len() + usize::from(self.everyone.is_some())
    }
}

/// Raises a bound that is lower. Returns whether it was; `None` if there is no bound.
fn raise(bound: Option<&mut i64>, to: i64) -> Option<bool> {
    let bound = bound?;
    let is_raised = *bound < to;
    *bound = to.max(*bound);
    Some(is_raised)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, revocation::KEPT_AFTER_END_MS};
    use proptest::prelude::*;

    fn any_revocation() -> impl Strategy<Value = Revocation> {
        let bound = 0..6_i64;
        prop_oneof![
            (0..3, bound.clone()).prop_map(|(user, bound)| {
                Revocation::of_user(format!("u{user}").parse().unwrap(), bound)
            }),
            (0..3, proptest::option::of(bound.clone()))
                .prop_map(|(jti, until)| Revocation::of_token(format!("t{jti}"), until)),
            bound.prop_map(Revocation::of_everyone),
        ]
    }

    fn any_identity() -> impl Strategy<Value = Identity> {
        let issued_at = proptest::option::of(-1..8_i64);
        let token_id = proptest::option::of(0..4);
        (0..4, issued_at, token_id).prop_map(|(user, issued_at, token_id)| {
            let user = format!("u{user}").parse().unwrap();
            let mut identity = Identity::new(user, Role::Customer);
            identity.issued_at = issued_at;
            identity.token_id = token_id.map(|id| format!("t{id}"));
            identity
        })
    }

    proptest! {
        /// The model: a list of everything that was ever inserted.
        #[test]
        fn a_set_revokes_what_one_of_its_revocations_is_of(
            revocations in proptest::collection::vec(any_revocation(), 0..12),
            identities in proptest::collection::vec(any_identity(), 1..12),
        ) {
            let mut set = RevocationSet::default();
            for revocation in &revocations {
                let before: Vec<_> = identities.iter().map(|who| set.revokes(who)).collect();
                let is_new = set.insert(revocation);
                let after: Vec<_> = identities.iter().map(|who| set.revokes(who)).collect();
                prop_assert!(is_new || before == after, "{:?}", revocation);
            }
            for identity in &identities {
                let is_revoked = revocations.iter().any(|revocation| revocation.is_of(identity));
                prop_assert_eq!(set.revokes(identity), is_revoked, "{:?}", identity);
            }
            let mut keys: Vec<_> = revocations.iter().map(Revocation::key).collect();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(set.len(), keys.len());
            for revocation in &revocations {
                prop_assert!(!set.insert(revocation), "{:?} twice", revocation);
            }
        }
    }

    #[test]
    fn the_latest_end_of_a_token_counts() {
        let mut set = RevocationSet::default();
        let mut identity = Identity::new("u1".parse().unwrap(), Role::Customer);
        identity.token_id = Some("t".to_owned());
        for until in [1, 9, 5] {
            set.insert(&Revocation::of_token("t", Some(until)));
        }
        set.insert(&Revocation::of_user("u2".parse().unwrap(), 0));
        set.remove_ended(9 + KEPT_AFTER_END_MS - 1);
        assert!(set.revokes(&identity));
        set.remove_ended(9 + KEPT_AFTER_END_MS);
        assert!(!set.revokes(&identity));
        assert_eq!(set.len(), 1);
        set.insert(&Revocation::of_token("t", Some(1)));
        set.insert(&Revocation::of_token("t", None));
        set.remove_ended(i64::MAX);
        assert!(set.revokes(&identity));
    }

    /// A call that removes all of very many would hold up every client that connects.
    #[test]
    fn what_has_ended_is_removed_in_bounded_steps() {
        let mut set = RevocationSet::default();
        for i in 0..2_500 {
            set.insert(&Revocation::of_token(format!("t{i}"), Some(i % 7)));
        }
        set.insert(&Revocation::of_token("later", Some(i64::MAX - 1)));
        for expected in [1_501, 501, 1, 1] {
            set.remove_ended(7 + KEPT_AFTER_END_MS);
            assert_eq!(set.len(), expected);
        }
    }
}
