//! The flaws that a token can have.

use super::AuthError;

/// A reason for which a token is refused.
///
/// Its text quotes claims: it is for the owner of the token, and not for logs or answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFlaw {
    /// It is not a JWT in its compact form.
    #[error("not a JWT: {0}")]
    Malformed(&'static str),
    /// Its header asks for something that is not supported, and that must not be ignored.
    #[error("its header has `{0}`, which is not supported")]
    Header(&'static str),
    /// Its header names another algorithm, or none.
    #[error("{}; with a shared secret, the server accepts only HS256", signed_with(.0))]
    Algorithm(String),
    /// Its header names another algorithm than these, or none.
    #[error("{}; the server accepts only {accepted}", signed_with(.algorithm))]
    OtherAlgorithm {
        /// The algorithm.
        algorithm: String,
        /// The algorithms that are accepted.
        accepted: &'static str,
    },
    /// The key that its header names is for another algorithm.
    #[error("signed with {algorithm}, and the key of its `kid` is for {key} only")]
    KeyAlgorithm {
        /// The algorithm of the token.
        algorithm: &'static str,
        /// The algorithm of the key.
        key: &'static str,
    },
    /// Its issuer has no key with this id; `None`: no key for its algorithm.
    #[error("its issuer has no key {}", key(.0.as_deref()))]
    UnknownKey(Option<String>),
    /// Its header names no key, and its issuer has several for the algorithm.
    #[error("its header has no `kid`, and its issuer has several keys for its algorithm")]
    NoKeyId,
    /// The keys of its issuer are not known at the moment.
    #[error("the keys of its issuer are not known at the moment")]
    KeysUnavailable,
    /// It is of an issuer whose tokens are not accepted, or of none.
    #[error("{}", issuer(.0.as_deref()))]
    Issuer(Option<String>),
    /// It is for others: its `aud` names no audience of this server, as JSON.
    #[error("{}", audience(.0.as_deref()))]
    Audience(Option<String>),
    /// It was not signed with a known key.
    #[error("wrong signature: signed with another secret, or modified after signing")]
    Signature,
    /// It has no `exp`.
    #[error("no `exp`: a token must expire")]
    NoExpiry,
    /// This claim is not a number.
    #[error("`{0}` is not a number of seconds")]
    NoTime(&'static str),
    /// It has expired, at this time in ms since the Unix epoch.
    #[error("expired")]
    Expired(i64),
    /// It is not valid before this time, in ms since the Unix epoch.
    #[error("not valid yet: check the clocks")]
    NotYet(i64),
    /// It was issued in the future, at this time in ms since the Unix epoch: its clock or its unit
    /// is wrong, and a revocation could not tell that it is older.
    #[error("issued in the future: check the clocks")]
    IssuedLater(i64),
    /// It names no user.
    #[error("no `userId` and no `sub`")]
    NoUser,
    /// A claim has a value that it must not have.
    #[error("`{claim}` {value}: {reason}")]
    InvalidClaim {
        /// The name of the claim.
        claim: &'static str,
        /// The claim, as JSON.
        value: String,
        /// The expected value.
        reason: String,
    },
    /// It names no role.
    #[error("no `role`")]
    NoRole,
    /// It names a role that this system does not have.
    #[error("role {role:?} is unknown: {reason}")]
    UnknownRole {
        /// The role.
        role: String,
        /// The roles that there are.
        reason: String,
    },
}

fn signed_with(algorithm: &str) -> String {
    if algorithm.eq_ignore_ascii_case("none") {
        return "unsigned, since `alg` is none".to_owned();
    }
    format!("signed with {algorithm}")
}

fn key(id: Option<&str>) -> String {
    match id {
        Some(id) => format!("with the `kid` {id:?}"),
        None => "for its algorithm, and its header has no `kid`".to_owned(),
    }
}

fn issuer(issuer: Option<&str>) -> String {
    match issuer {
        Some(issuer) => format!("`iss` {issuer:?}: the server accepts no tokens of this issuer"),
        None => "no `iss`: the server accepts tokens of certain issuers only".to_owned(),
    }
}

fn audience(audience: Option<&str>) -> String {
    match audience {
        Some(audience) => format!("`aud` {audience}: the token is not for this server"),
        None => "no `aud`: the server accepts only tokens that name it".to_owned(),
    }
}

impl TokenFlaw {
    /// Returns the error with which a server refuses the token.
    #[must_use]
    pub const fn error(&self) -> AuthError {
        match self {
            Self::Expired(_) => AuthError::Expired,
            Self::NoRole | Self::UnknownRole { .. } => AuthError::Forbidden,
            Self::KeysUnavailable => AuthError::Unavailable,
            _ => AuthError::Unauthorized,
        }
    }

    /// Returns a stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Header(_) => "header",
            Self::Algorithm(_) | Self::OtherAlgorithm { .. } | Self::KeyAlgorithm { .. } => {
                "algorithm"
            }
            Self::UnknownKey(_) | Self::NoKeyId => "kid",
            Self::KeysUnavailable => "keys",
            Self::Issuer(_) => "iss",
            Self::Audience(_) => "aud",
            Self::Signature => "signature",
            Self::NoExpiry => "exp",
            Self::NoTime(claim) | Self::InvalidClaim { claim, .. } => claim,
            Self::Expired(_) => "expired",
            Self::NotYet(_) => "not_yet",
            Self::IssuedLater(_) => "issued_later",
            Self::NoUser => "user",
            Self::NoRole | Self::UnknownRole { .. } => "role",
        }
    }
}

/// Something about a token that is accepted all the same, and that its issuer may not intend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenWarning {
    /// It expires in the year 9999 or later, at this time in ms since the Unix epoch.
    #[error("expires in the year 9999 or later: `exp` must be in seconds, not in milliseconds")]
    FarExpiry(i64),
    /// It has no `iat`, or one that is not a number: it counts as issued at 0.
    #[error(
        "no `iat` in seconds: it counts as issued at 0, so that any revocation of its user by \
         time is of this token, too"
    )]
    NoIssueTime,
}

impl TokenWarning {
    /// Returns a stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FarExpiry(_) => "far_expiry",
            Self::NoIssueTime => "no_iat",
        }
    }
}
