//! The caller of a request.

use metaia_realtime::{Role, UserId};

/// The authenticated caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A user, identified by their token.
    User {
        /// The user's id.
        user: UserId,
        /// The user's role in the marketplace.
        role: Role,
    },
    /// Another backend, identified by the API key.
    ApiKey,
}

impl Caller {
    /// Returns a calling user.
    #[must_use]
    pub const fn user(user: UserId, role: Role) -> Self {
        Self::User { user, role }
    }

    /// Returns whether the caller is an admin.
    #[must_use]
    pub const fn is_admin(&self) -> bool {
        matches!(
            self,
            Self::User {
                role: Role::Admin,
                ..
            }
        )
    }

    /// Returns the scope of the caller's idempotency keys. Callers never share one: user ids
    /// contain no colon.
    #[must_use]
    pub fn scope(&self) -> String {
        match self {
            Self::User { user, role } => format!("user:{role}:{user}"),
            Self::ApiKey => "api-key:".to_owned(),
        }
    }
}
