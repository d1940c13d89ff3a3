//! Who asks.

use metaia_realtime::{Role, UserId};

/// Who asks, after their token or key was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A user, by their token.
    User {
        /// Who they are.
        user: UserId,
        /// What they are to the marketplace.
        role: Role,
    },
    /// Another backend, by the API key.
    ApiKey,
}

impl Caller {
    /// A user.
    #[must_use]
    pub const fn user(user: UserId, role: Role) -> Self {
        Self::User { user, role }
    }

    /// Whether this is an admin.
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

    /// Whose idempotency keys these are. User ids have no colon, so the two never meet.
    #[must_use]
    pub fn scope(&self) -> String {
        match self {
            Self::User { user, role } => format!("user:{role}:{user}"),
            Self::ApiKey => "api-key:".to_owned(),
        }
    }
}
