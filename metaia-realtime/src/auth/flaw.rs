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
    /// It was not signed with a known secret.
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

impl TokenFlaw {
    /// Returns the error with which a server refuses the token.
    #[must_use]
    pub const fn error(&self) -> AuthError {
        match self {
            Self::Expired(_) => AuthError::Expired,
            Self::NoRole | Self::UnknownRole { .. } => AuthError::Forbidden,
            _ => AuthError::Unauthorized,
        }
    }

    /// Returns a stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Header(_) => "header",
            Self::Algorithm(_) => "algorithm",
            Self::Signature => "signature",
            Self::NoExpiry => "exp",
            Self::NoTime(claim) | Self::InvalidClaim { claim, .. } => claim,
            Self::Expired(_) => "expired",
            Self::NotYet(_) => "not_yet",
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
    /// It was issued in the future, at this time in ms since the Unix epoch.
    #[error("issued in the future: check the clocks")]
    IssuedLater(i64),
}

impl TokenWarning {
    /// Returns a stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FarExpiry(_) => "far_expiry",
            Self::IssuedLater(_) => "clock",
        }
    }
}
