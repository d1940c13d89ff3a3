//! A set of revocations, as a node has them in memory. No I/O, and no clock.

use std::collections::HashMap;

use super::{Revocation, value::issue_time};
use crate::{Identity, UserId};

/// The revocations that a node knows: of each key the one with the greatest bound.
#[derive(Debug, Default)]
pub(crate) struct RevocationSet {
    users: HashMap<UserId, i64>,
    /// By `jti`, with the time when the record ends.
    tokens: HashMap<Box<str>, i64>,
    everyone: Option<i64>,
}

impl RevocationSet {
    /// Adds a revocation. Returns true if it may be of a token that none of the set was of.
    pub(crate) fn insert(&mut self, revocation: &Revocation) -> bool {
        let bound = revocation.bound();
        match revocation {
            Revocation::User { user, .. } => raise(self.users.get_mut(user), bound)
                .unwrap_or_else(|| self.users.insert(user.clone(), bound).is_none()),
            Revocation::Token { jti, .. } => match self.tokens.get_mut(&**jti) {
                Some(until) => {
                    *until = bound.max(*until);
                    false
                }
                None => self.tokens.insert(jti.as_str().into(), bound).is_none(),
            },
            Revocation::Everyone { .. } => {
                raise(self.everyone.as_mut(), bound).unwrap_or_else(|| {
                    self.everyone = Some(bound);
                    true
                })
            }
        }
    }

    /// Returns true if one of the revocations is of the token of this identity.
    pub(crate) fn revokes(&self, identity: &Identity) -> bool {
        let issued_at = issue_time(identity);
        let is_until = |bound: &i64| issued_at <= *bound;
        let token_id = identity.token_id.as_deref();
        self.everyone.as_ref().is_some_and(is_until)
            || self.users.get(&identity.user).is_some_and(is_until)
            || token_id.is_some_and(|jti| self.tokens.contains_key(jti))
    }

    /// Removes the records of tokens that have ended at `now`, in ms since the Unix epoch.
    pub(crate) fn remove_ended(&mut self, now: i64) {
        let has_ended = |until: i64| Revocation::of_token("", Some(until)).has_ended(now);
        self.tokens.retain(|_, until| !has_ended(*until));
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
}
