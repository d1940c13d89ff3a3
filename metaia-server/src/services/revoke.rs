//! Revocation of tokens, for admins.

use metaia_realtime::{Role, UserId, auth::LEEWAY_MS, revocation::Revocation};
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    error::ServiceError, handle::Services, idempotency::IdempotentReply, permissions::only,
};
use crate::{
    model::{Caller, FieldError, Timestamp, UnixSeconds},
    store::{Change, IdempotencyClaim, StoredReply},
};

/// The most bytes of a `jti`: as many as the longest token has.
const MAX_JTI_BYTES: usize = 4_096;

/// A time in seconds from which on it is taken for one in milliseconds: the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// The body of `POST /api/realtime/revoke`: `{user}`, `{user, issuedBefore}`, `{jti}`,
/// `{jti, expiresAt}`, or, for everyone, `{issuedBefore}`.
///
/// A member is absent or has a value. With `null` as absent, a client that does not know its user
/// would revoke everyone's tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revoke {
    /// The user whose tokens are revoked: those issued until `issuedBefore`, or until now. A user
    /// of whom nothing is known is no error.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, nullable = false)]
    pub user: Option<UserId>,
    /// The id of the token that is revoked, its claim `jti`, for every issuer.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    pub jti: Option<String>,
    /// Tokens that were issued (`iat`) at this time or before it are revoked: seconds since the
    /// Unix epoch, which may have a fraction. Without a user: those of everyone. A token without
    /// `iat` counts as issued at 0.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<f64>, nullable = false)]
    pub issued_before: Option<UnixSeconds>,
    /// The time when the token `jti` expires, its claim `exp`. The revocation is forgotten after
    /// that; without it, never.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<f64>, nullable = false)]
    pub expires_at: Option<UnixSeconds>,
}

/// Makes the reply from the record that stands.
pub type RevokeReply = fn(&Revocation) -> StoredReply;

impl Services {
    /// Revokes tokens, and ends their sessions.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn revoke(
        &self,
        caller: &Caller,
        key: Option<&str>,
        revoke: Revoke,
        reply: RevokeReply,
    ) -> Result<IdempotentReply, ServiceError> {
        let admin = only(Role::Admin, caller)?;
        let revocation = revoke.revocation(Timestamp::now().ms());
        let revocation = revocation.map_err(ServiceError::Invalid)?;
        let work = |claim| self.revoke_once(admin, revocation, claim, reply);
        self.idempotently(caller, "POST /api/realtime/revoke", key, &revoke, work)
            .await
    }

    async fn revoke_once(
        &self,
        admin: &UserId,
        revocation: Revocation,
        claim: Option<IdempotencyClaim>,
        reply: RevokeReply,
    ) -> Result<StoredReply, ServiceError> {
        let standing = self.realtime().revoke(revocation).await;
        let standing = standing.map_err(ServiceError::Revocation)?;
        tracing::info!(%admin, revocation = ?standing, "tokens were revoked");
        let reply = reply(&standing);
        if claim.is_none() {
            return Ok(reply);
        }
        // If this fails, a retry revokes again, which changes nothing.
        let change = Change {
            claim,
            ..Change::replying(reply)
        };
        Ok(self.store().commit(change).await?)
    }
}

impl Revoke {
    /// Returns the revocation that is asked for at `now`, in ms since the Unix epoch.
    fn revocation(&self, now: i64) -> Result<Revocation, Vec<FieldError>> {
        let errors = self.errors(now);
        if !errors.is_empty() {
            return Err(errors);
        }
        let issued_before = self.issued_before.map(UnixSeconds::ms);
        match (&self.jti, &self.user, issued_before) {
            (Some(jti), ..) => {
                let until = self.expires_at.map(UnixSeconds::ms);
                Ok(Revocation::of_token(jti.as_str(), until))
            }
            (None, Some(user), issued_before) => Ok(Revocation::of_user(
                user.clone(),
                issued_before.unwrap_or(now),
            )),
            (None, None, Some(issued_before)) => Ok(Revocation::of_everyone(issued_before)),
            (None, None, None) => Err(vec![FieldError::new(
                "",
                "must have one of user, jti and issuedBefore",
            )]),
        }
    }

    fn errors(&self, now: i64) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut refuse = |pointer: &str, message: &str| {
            errors.push(FieldError::new(pointer, message));
        };
        if let Some(jti) = &self.jti {
            if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
                refuse("/jti", "must have 1 to 4096 bytes");
            }
            if self.user.is_some() {
                refuse("/user", "cannot stand beside jti, which names one token");
            }
            if self.issued_before.is_some() {
                refuse(
                    "/issuedBefore",
                    "cannot stand beside jti, which names one token",
                );
            }
        } else if self.expires_at.is_some() {
            refuse("/expiresAt", "needs a jti");
        }
        if let Some(message) = self.issued_before.and_then(|time| flaw_of_issue(time, now)) {
            refuse("/issuedBefore", message);
        }
        if let Some(message) = self.expires_at.and_then(|time| flaw_of_end(time, now)) {
            refuse("/expiresAt", message);
        }
        errors
    }
}

/// Returns why tokens cannot be revoked that were issued until this time.
fn flaw_of_issue(time: UnixSeconds, now: i64) -> Option<&'static str> {
    if time.ms() < 0 {
        Some("must be 0 or later")
    } else if time.is_from(MILLISECONDS) {
        Some("must be in seconds since the Unix epoch, not in milliseconds")
    } else if time.ms() > now.saturating_add(LEEWAY_MS) {
        Some("must not be in the future: tokens that are not made yet would be refused")
    } else {
        None
    }
}

/// Returns why a token cannot expire at this time.
fn flaw_of_end(time: UnixSeconds, now: i64) -> Option<&'static str> {
    if time.is_from(MILLISECONDS) {
        Some("must be in seconds since the Unix epoch, not in milliseconds")
    } else if time.ms() < now.saturating_sub(LEEWAY_MS) {
        Some("has passed: this token is refused already")
    } else {
        None
    }
}

/// Deserializes a member that is there: `null` is refused.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some day in 2026, in ms.
    const NOW: i64 = 1_796_000_000_123;

    fn read(body: &str) -> Result<Revocation, String> {
        let revoke: Revoke = serde_json::from_str(body).map_err(|error| error.to_string())?;
        revoke.revocation(NOW).map_err(|errors| {
            let pointers = errors.iter().map(|error| error.pointer.as_str());
            pointers.collect::<Vec<_>>().join(" ")
        })
    }

    fn user() -> UserId {
        "u1".parse().unwrap()
    }

    #[test]
    fn each_form_is_a_revocation() {
        for (body, expected) in [
            (r#"{"user":"u1"}"#, Revocation::of_user(user(), NOW)),
            (
                r#"{"user":"u1","issuedBefore":1796000000}"#,
                Revocation::of_user(user(), 1_796_000_000_000),
            ),
            (
                r#"{"user":"u1","issuedBefore":1.7960000000019e9}"#,
                Revocation::of_user(user(), 1_796_000_000_001),
            ),
            (
                r#"{"user":"u1","issuedBefore":0}"#,
                Revocation::of_user(user(), 0),
            ),
            (
                r#"{"user":"u1","issuedBefore":1796000005.123}"#,
                Revocation::of_user(user(), NOW + 5_000),
            ),
            (r#"{"issuedBefore":7}"#, Revocation::of_everyone(7_000)),
            (r#"{"jti":"t"}"#, Revocation::of_token("t", None)),
            (
                r#"{"jti":"t","expiresAt":1796000001}"#,
                Revocation::of_token("t", Some(1_796_000_001_000)),
            ),
        ] {
            assert_eq!(read(body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_its_place() {
        let long = "x".repeat(MAX_JTI_BYTES + 1);
        for (body, pointers) in [
            ("{}", ""),
            (r#"{"jti":""}"#, "/jti"),
            (&format!(r#"{{"jti":"{long}"}}"#), "/jti"),
            (r#"{"jti":"t","user":"u1"}"#, "/user"),
            (
                r#"{"jti":"t","user":"u1","issuedBefore":1}"#,
                "/user /issuedBefore",
            ),
            (r#"{"user":"u1","expiresAt":1796000001}"#, "/expiresAt"),
            (r#"{"expiresAt":1796000001}"#, "/expiresAt"),
            (r#"{"user":"u1","issuedBefore":-1}"#, "/issuedBefore"),
            (r#"{"user":"u1","issuedBefore":-0.0001}"#, "/issuedBefore"),
            (
                r#"{"user":"u1","issuedBefore":1796000006}"#,
                "/issuedBefore",
            ),
            (
                r#"{"user":"u1","issuedBefore":1796000000123}"#,
                "/issuedBefore",
            ),
            (r#"{"issuedBefore":1e400}"#, "/issuedBefore"),
            (r#"{"jti":"t","expiresAt":1795999990}"#, "/expiresAt"),
            (r#"{"jti":"t","expiresAt":1796000001000}"#, "/expiresAt"),
        ] {
            assert_eq!(read(body), Err(pointers.to_owned()), "{body}");
        }
    }

    #[test]
    fn null_is_not_absent() {
        for body in [
            r#"{"user":null,"issuedBefore":7}"#,
            r#"{"user":"u1","issuedBefore":null}"#,
            r#"{"jti":null}"#,
            r#"{"jti":"t","expiresAt":null}"#,
            r#"{"user":"u1","user":"u2"}"#,
            r#"{"user":"u 1"}"#,
            r#"{"user":7}"#,
            r#"{"jti":7}"#,
            r#"{"issuedBefore":"1796000000"}"#,
            r#"{"issuedBefore":"2026-01-01T00:00:00Z"}"#,
            r#"{"users":["u1"]}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
    }

    #[test]
    fn milliseconds_are_said_to_be_that() {
        let time: UnixSeconds = serde_json::from_str("1796000000123").unwrap();
        assert!(flaw_of_issue(time, NOW).unwrap().contains("milliseconds"));
        assert!(flaw_of_end(time, NOW).unwrap().contains("milliseconds"));
    }
}
