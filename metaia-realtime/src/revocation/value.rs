//! A revocation: which tokens it is of, and its form in stores.

use std::fmt;

use crate::{Identity, UserId, auth::LEEWAY_MS};

/// The time for which the record of a token is kept after the token has expired, in ms: a minute.
/// It is more than clocks may differ.
pub const KEPT_AFTER_END_MS: i64 = 60_000;

const _: () = assert!(KEPT_AFTER_END_MS > 2 * LEEWAY_MS);

/// The first words of keys. No id of a user has a space.
const USER: &str = "user ";
const TOKEN: &str = "token ";
const EVERYONE: &str = "everyone";

/// The tokens that are accepted no more. All times are in ms since the Unix epoch.
///
/// `Debug` leaves out the id of a token: it belongs in no log.
///
/// ```
/// use metaia_realtime::{Identity, Role, revocation::Revocation};
///
/// let revocation = Revocation::of_user("c1".parse()?, 1_800_000_000_000);
/// let identity = Identity::new("c1".parse()?, Role::Customer);
/// assert!(revocation.is_of(&identity.clone().issued(1_800_000_000_000)));
/// assert!(!revocation.is_of(&identity.clone().issued(1_800_000_000_001)));
/// // It is not known when it was issued.
/// assert!(revocation.is_of(&identity));
/// # Ok::<(), metaia_realtime::values::InvalidId>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// The tokens of a user, in any role.
    #[non_exhaustive]
    User {
        /// The user.
        user: UserId,
        /// Tokens that were issued at this time or before it.
        issued_before: i64,
    },
    /// One token.
    #[non_exhaustive]
    Token {
        /// Its `jti`.
        jti: String,
        /// The time when it expires. `None` if that is not known: the record is kept for good.
        until: Option<i64>,
    },
    /// All tokens.
    #[non_exhaustive]
    Everyone {
        /// Tokens that were issued at this time or before it.
        issued_before: i64,
    },
}

impl Revocation {
    /// Returns the revocation of the tokens of a user that were issued at this time or before it,
    /// in ms since the Unix epoch.
    #[must_use]
    pub const fn of_user(user: UserId, issued_before: i64) -> Self {
        Self::User {
            user,
            issued_before,
        }
    }

    /// Returns the revocation of the token with this `jti`, of any issuer, which expires at
    /// `until` (ms since the Unix epoch) if that is known.
    #[must_use]
    pub fn of_token(jti: impl Into<String>, until: Option<i64>) -> Self {
        Self::Token {
            jti: jti.into(),
            // The greatest time stands for "not known" in stores.
            until: until.filter(|until| *until != i64::MAX),
        }
    }

    /// Returns the revocation of all tokens that were issued at this time or before it, in ms since
    /// the Unix epoch.
    #[must_use]
    pub const fn of_everyone(issued_before: i64) -> Self {
        Self::Everyone { issued_before }
    }

    /// Returns true if it is of the token of this identity.
    #[must_use]
    pub fn is_of(&self, identity: &Identity) -> bool {
        let issued_at = issue_time(identity);
        match self {
            Self::User {
                user,
                issued_before,
            } => *user == identity.user && issued_at <= *issued_before,
            Self::Token { jti, .. } => identity.token_id.as_ref() == Some(jti),
            Self::Everyone { issued_before } => issued_at <= *issued_before,
        }
    }

    /// Returns the key of its record, for stores: `user c1`, `token 5f0c…` or `everyone`. There is
    /// one record per key, that with the greatest [bound](Self::bound).
    ///
    /// ```
    /// use metaia_realtime::revocation::Revocation;
    ///
    /// let revocation = Revocation::of_token("5f0c", None);
    /// assert_eq!(revocation.key(), "token 5f0c");
    /// let stored = Revocation::from_stored(&revocation.key(), revocation.bound());
    /// assert_eq!(stored, Some(revocation));
    /// ```
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::User { user, .. } => format!("{USER}{user}"),
            Self::Token { jti, .. } => format!("{TOKEN}{jti}"),
            Self::Everyone { .. } => EVERYONE.to_owned(),
        }
    }

    /// Returns the number of its record, for stores: the time up to which tokens are revoked, or of
    /// a token the time when it expires, `i64::MAX` if that is not known.
    #[must_use]
    pub const fn bound(&self) -> i64 {
        match self {
            Self::User { issued_before, .. } | Self::Everyone { issued_before } => *issued_before,
            Self::Token {
                until: Some(until), ..
            } => *until,
            Self::Token { until: None, .. } => i64::MAX,
        }
    }

    /// Returns the revocation of a stored record; `None` if the key is none of
    /// [`key`](Self::key).
    #[must_use]
    pub fn from_stored(key: &str, bound: i64) -> Option<Self> {
        if let Some(user) = key.strip_prefix(USER) {
            return Some(Self::of_user(user.parse().ok()?, bound));
        }
        if let Some(jti) = key.strip_prefix(TOKEN) {
            return Some(Self::of_token(jti, Some(bound)));
        }
        (key == EVERYONE).then(|| Self::of_everyone(bound))
    }

    /// Returns true if its record is not needed any more at `now`, in ms since the Unix epoch: the
    /// token has expired for [`KEPT_AFTER_END_MS`].
    #[must_use]
    pub const fn has_ended(&self, now: i64) -> bool {
        match self {
            Self::Token {
                until: Some(until), ..
            } => until.saturating_add(KEPT_AFTER_END_MS) <= now,
            _ => false,
        }
    }
}

/// Returns when the token of an identity was issued, in ms since the Unix epoch: 0 if that is not
/// known.
pub(super) fn issue_time(identity: &Identity) -> i64 {
    identity.issued_at.unwrap_or(0)
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User {
                user,
                issued_before,
            } => f
                .debug_struct("User")
                .field("user", user)
                .field("issued_before", issued_before)
                .finish(),
            Self::Token { until, .. } => f
                .debug_struct("Token")
                .field("until", until)
                .finish_non_exhaustive(),
            Self::Everyone { issued_before } => f
                .debug_struct("Everyone")
                .field("issued_before", issued_before)
                .finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    fn user(id: &str) -> UserId {
        id.parse().unwrap()
    }

    fn identity(id: &str, issued_at: Option<i64>, jti: Option<&str>) -> Identity {
        let mut identity = Identity::new(user(id), Role::Customer);
        identity.issued_at = issued_at;
        identity.token_id = jti.map(str::to_owned);
        identity
    }

    #[test]
    fn a_revocation_of_a_user_is_of_the_tokens_issued_until_then() {
        let revocation = Revocation::of_user(user("u1"), 5_000);
        for (who, expected) in [
            (identity("u1", Some(4_999), None), true),
            (identity("u1", Some(5_000), None), true),
            (identity("u1", Some(5_001), None), false),
            (identity("u1", Some(i64::MIN), None), true),
            (identity("u1", Some(i64::MAX), None), false),
            (identity("u1", None, None), true),
            (identity("u2", Some(0), None), false),
            (identity("u1", Some(5_001), Some("u1")), false),
        ] {
            assert_eq!(revocation.is_of(&who), expected, "{who:?}");
        }
        assert!(Revocation::of_user(user("u1"), 0).is_of(&identity("u1", None, None)));
        assert!(!Revocation::of_user(user("u1"), -1).is_of(&identity("u1", None, None)));
    }

    #[test]
    fn a_revocation_of_a_token_is_of_no_other() {
        let revocation = Revocation::of_token("t", Some(1));
        assert!(revocation.is_of(&identity("u1", Some(9), Some("t"))));
        assert!(revocation.is_of(&identity("u2", None, Some("t"))));
        for other in [None, Some(""), Some("T"), Some("t "), Some("tt")] {
            assert!(!revocation.is_of(&identity("u1", None, other)), "{other:?}");
        }
    }

    #[test]
    fn a_revocation_of_everyone_is_of_each_token_issued_until_then() {
        let revocation = Revocation::of_everyone(5_000);
        assert!(revocation.is_of(&identity("u1", Some(5_000), Some("t"))));
        assert!(revocation.is_of(&identity("u2", None, None)));
        assert!(!revocation.is_of(&identity("u2", Some(5_001), None)));
    }

    #[test]
    fn the_record_of_a_token_ends_a_while_after_the_token() {
        let ended = |until, now| Revocation::of_token("t", until).has_ended(now);
        assert!(!ended(Some(1_000), 1_000 + KEPT_AFTER_END_MS - 1));
        assert!(ended(Some(1_000), 1_000 + KEPT_AFTER_END_MS));
        assert!(!ended(None, i64::MAX));
        assert!(!ended(Some(i64::MAX), i64::MAX), "the same as none");
        assert!(!Revocation::of_user(user("u1"), 0).has_ended(i64::MAX));
        assert!(!Revocation::of_everyone(0).has_ended(i64::MAX));
    }

    #[test]
    fn a_stored_record_is_read_as_it_was() {
        for revocation in [
            Revocation::of_user(user("everyone"), i64::MIN),
            Revocation::of_user(user("u1"), i64::MAX),
            Revocation::of_token("", None),
            Revocation::of_token("user u1", Some(7)),
            Revocation::of_token("a\0b $where \u{202e}", Some(-7)),
            Revocation::of_everyone(3),
        ] {
            let stored = Revocation::from_stored(&revocation.key(), revocation.bound());
            assert_eq!(stored, Some(revocation));
        }
        for key in [
            "",
            "user",
            "user ",
            "user a b",
            "everyone ",
            "Everyone",
            "clock",
        ] {
            assert_eq!(Revocation::from_stored(key, 1), None, "{key:?}");
        }
    }

    #[test]
    fn the_id_of_a_token_is_not_shown() {
        let shown = format!("{:?}", Revocation::of_token("canary", None));
        assert_eq!(shown, "Token { until: None, .. }");
    }
}
