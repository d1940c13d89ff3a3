//! The credentials of a request or a connection: a token, or the API key of a backend.

use std::fmt;
use std::time::Duration;

use metaia_realtime::Role;
use metaia_realtime::auth::inspect_token;

use crate::actor::Actor;
use crate::clock;
use crate::diagnosis::{SuppliedBy, TokenKind};
use crate::exit::Failure;
use crate::token::{Flaw, TokenSigner, mint};

/// Lifetime of a minted token. Each connection mints a new one.
const TOKEN_TTL: Duration = Duration::from_secs(3600);

/// A role and user with a token.
#[derive(Clone)]
pub(crate) struct Identity {
    label: String,
    source: TokenSource,
}

#[derive(Clone)]
enum TokenSource {
    Supplied {
        token: String,
        by: SuppliedBy,
    },
    Minted {
        actor: Actor,
        signer: TokenSigner,
    },
    /// Minted once.
    Fixed(String),
}

impl Identity {
    /// Returns the owner of a token that the user of the CLI supplied.
    pub(crate) fn from_token(token: &str, by: SuppliedBy) -> Self {
        Self {
            label: token_owner(token),
            source: TokenSource::Supplied {
                token: token.to_owned(),
                by,
            },
        }
    }

    /// Returns an identity whose tokens are minted with `signer`.
    pub(crate) fn minted(actor: &Actor, signer: TokenSigner) -> Self {
        Self {
            label: actor.to_string(),
            source: TokenSource::Minted {
                actor: actor.clone(),
                signer,
            },
        }
    }

    /// Returns an identity with one token for all its connections.
    pub(crate) fn fixed(actor: &Actor, token: String) -> Self {
        Self {
            label: actor.to_string(),
            source: TokenSource::Fixed(token),
        }
    }

    /// Returns `ROLE:USER`, or `token` if a supplied token does not name both.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Returns true if the label names this role.
    pub(crate) fn has_role(&self, role: Role) -> bool {
        self.owner().is_some_and(|owner| owner.role == role)
    }

    /// Returns the role and user that the label names.
    pub(crate) fn owner(&self) -> Option<Actor> {
        self.label.parse().ok()
    }

    pub(crate) fn token_kind(&self) -> TokenKind {
        match self.source {
            TokenSource::Supplied { by, .. } => TokenKind::Supplied(by),
            TokenSource::Minted { .. } | TokenSource::Fixed(_) => TokenKind::Minted,
        }
    }

    /// Returns the supplied token, or mints a new one that is valid now.
    pub(crate) fn token(&self) -> Result<String, Failure> {
        match &self.source {
            TokenSource::Supplied { token, .. } | TokenSource::Fixed(token) => Ok(token.clone()),
            TokenSource::Minted { actor, signer } => {
                let minted = mint(actor, signer, TOKEN_TTL, Flaw::None, clock::unix_ms())?;
                Ok(minted.token)
            }
        }
    }
}

/// Shows neither the token nor the secret.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.label).finish()
    }
}

/// The credentials of a REST request.
#[derive(Debug, Clone)]
pub(crate) enum Authority {
    Token(Identity),
    ApiKey(String),
}

impl Authority {
    /// Returns the name to show in reports: `ROLE:USER`, or `backend` for an API key.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Token(identity) => identity.label(),
            Self::ApiKey(_) => "backend",
        }
    }

    pub(crate) fn token_kind(&self) -> TokenKind {
        match self {
            Self::Token(identity) => identity.token_kind(),
            Self::ApiKey(_) => TokenKind::ApiKey,
        }
    }
}

/// Returns the role and user in a token's claims. The signature is not verified: the result is only
/// a name for reports.
fn token_owner(token: &str) -> String {
    let inspection = inspect_token(token, None, 0);
    match (inspection.role, inspection.user) {
        (Some(role), Some(user)) => format!("{role}:{user}"),
        _ => "token".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tailor() -> Actor {
        "tailor:t1".parse().unwrap()
    }

    #[test]
    fn a_token_names_its_owner_without_being_verified() {
        let minted = mint(
            &tailor(),
            &"secret".into(),
            TOKEN_TTL,
            Flaw::Expired,
            1_700_000_000_000,
        )
        .unwrap();
        let identity = Identity::from_token(&minted.token, SuppliedBy::Option);
        assert_eq!(identity.label(), "tailor:t1");
        assert!(identity.has_role(Role::Tailor));
        assert!(!identity.has_role(Role::Admin));
        assert_eq!(
            Identity::from_token("no token", SuppliedBy::Option).label(),
            "token"
        );
    }

    #[test]
    fn debug_shows_no_secrets() {
        let identity = Identity::minted(&tailor(), "hidden".into());
        assert_eq!(format!("{identity:?}"), "Identity(\"tailor:t1\")");
    }
}
