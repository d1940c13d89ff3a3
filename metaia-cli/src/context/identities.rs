//! The identities that a command acts as.

use metaia_realtime::{Role, UserId};

use super::Context;
use super::supplied_token::SuppliedToken;
use crate::actor::Actor;
use crate::contexts::{ContextName, Secret};
use crate::diagnosis::SuppliedBy;
use crate::exit::{Exit, Failure};
use crate::identity::{Authority, Identity};
use crate::secrets::API_KEY_VARIABLE;
use crate::token::PastedToken;

/// The places of the key of a backend.
const API_KEY_PLACES: &str = "METAIA_API_KEY, or api_key of the context in use,";

impl Context {
    /// Returns the identity to act as: `--as`, otherwise the owner of the supplied token.
    pub(crate) fn identity(&self, actor: Option<&Actor>) -> Result<Identity, Failure> {
        match (actor, &self.token) {
            (Some(_), Some(token)) if token.is_explicit() => Err(Failure::usage(
                "--as mints a token and --token supplies one: use only one of them",
            )),
            (Some(actor), _) => self.identity_of(actor),
            (None, Some(token)) => Ok(token.owner()),
            (None, None) => self.token_of_context()?.ok_or_else(|| {
                Failure::usage("no role and no token given")
                    .hint("use --as ROLE:USER, such as --as customer:u1, or --token")
            }),
        }
    }

    /// Returns an identity for the actor: with a minted token, otherwise with the token that the
    /// context in use has for the role.
    ///
    /// # Errors
    /// A usage failure if there is neither, or if that token is another user's.
    pub(crate) fn identity_of(&self, actor: &Actor) -> Result<Identity, Failure> {
        let Some((context, token)) = self.token_of_role(actor.role)? else {
            return self.mint_for(actor);
        };
        if token.owner().as_ref() == Some(actor) {
            return Ok(token);
        }
        let owner = token.label();
        let failure = Failure::usage(format!(
            "tokens.{} of the context {context} is the token of {owner}, not of {actor}",
            actor.role
        ));
        Err(failure
            .hint(format!(
                "act as {owner}, or add jwt_secret to the context, with which metaia mints a token"
            ))
            .of_server())
    }

    /// Returns the user of the token that the context in use has for the role, if tokens are not
    /// minted.
    pub(crate) fn user_of_role(&self, role: Role) -> Result<Option<UserId>, Failure> {
        let token = self.token_of_role(role)?;
        Ok(token.and_then(|(_, token)| Some(token.owner()?.user)))
    }

    /// Returns the token that the context in use has for the role, unless tokens are minted.
    fn token_of_role(&self, role: Role) -> Result<Option<(&ContextName, Identity)>, Failure> {
        let Some(context) = self.settings.context() else {
            return Ok(None);
        };
        let Some(token) = context.token_of(role) else {
            return Ok(None);
        };
        if self.settings.has_jwt_secret() {
            return Ok(None);
        }
        let token = Self::identity_of_secret(token)?;
        if token.has_role(role) {
            return Ok(Some((&context.name, token)));
        }
        let name = &context.name;
        let text = match token.owner() {
            Some(owner) => format!("is the token of {owner}: this is another role"),
            None => "names no role and user".to_owned(),
        };
        let failure = Failure::usage(format!("tokens.{role} of the context {name} {text}"));
        let hint = "metaia token inspect shows what a token contains";
        Err(failure.hint(hint).of_server())
    }

    /// Returns the owner of `token` of the context in use.
    fn token_of_context(&self) -> Result<Option<Identity>, Failure> {
        let token = self
            .settings
            .context()
            .and_then(|context| context.token.as_ref());
        token.map(Self::identity_of_secret).transpose()
    }

    /// Returns the owner of a token of a context, without what people paste before it.
    pub(crate) fn identity_of_secret(token: &Secret) -> Result<Identity, Failure> {
        let text = token.read()?;
        let pasted = PastedToken::read(&text);
        Ok(Identity::from_token(pasted.token, SuppliedBy::Context))
    }

    /// Returns an admin: any one of whom the tool has a token.
    fn any_admin(&self, default: &Actor) -> Result<Identity, Failure> {
        match self.token_of_role(Role::Admin)? {
            Some((_, token)) => Ok(token),
            None => self.mint_for(default),
        }
    }

    /// Returns the default admin, to look something up: with a minted token, or with that of the
    /// context in use.
    pub(crate) fn default_admin(&self) -> Result<Identity, Failure> {
        self.any_admin(&default_admin()?)
    }

    /// Returns the identity to act as: `--as`, the owner of the supplied token, or an admin.
    pub(crate) fn identity_or_admin(&self, actor: Option<&Actor>) -> Result<Identity, Failure> {
        if actor.is_some() || self.token.is_some() {
            return self.identity(actor);
        }
        match self.token_of_context()? {
            Some(owner) => Ok(owner),
            None => self.default_admin(),
        }
    }

    /// Returns the owner of the supplied token, or of `token` of the context in use.
    ///
    /// # Errors
    /// A usage failure if the token of the context cannot be read.
    pub(crate) fn token_owner(&self) -> Result<Option<Identity>, Failure> {
        match &self.token {
            Some(token) => Ok(Some(token.owner())),
            None => self.token_of_context(),
        }
    }

    /// Returns true if an option supplied the token, and not the environment.
    pub(crate) fn is_token_explicit(&self) -> bool {
        self.token.as_ref().is_some_and(SuppliedToken::is_explicit)
    }

    /// Returns the owner of the supplied token if it has this role.
    pub(crate) fn token_owner_with_role(&self, role: Role) -> Result<Option<Identity>, Failure> {
        let owner = self.token_owner()?;
        Ok(owner.filter(|owner| owner.has_role(role)))
    }

    /// Returns an identity for the actor whose tokens are minted with the server's secret.
    pub(crate) fn mint_for(&self, actor: &Actor) -> Result<Identity, Failure> {
        let signer = self.settings.token_signer()?;
        Ok(Identity::minted(actor, signer))
    }

    /// Returns credentials for requests that only admins and backends may make: `--as` or the
    /// supplied token, otherwise the API key, otherwise a token of an admin. What the environment
    /// has comes before what the context in use has.
    pub(crate) fn authority(
        &self,
        actor: Option<&Actor>,
        admin: &Actor,
    ) -> Result<Authority, Failure> {
        if actor.is_some() || self.token.is_some() {
            return self.identity(actor).map(Authority::Token);
        }
        if let Some(key) = self.settings.find(API_KEY_VARIABLE) {
            return Ok(Authority::ApiKey(key));
        }
        if let Some(owner) = self.token_of_context()? {
            return Ok(Authority::Token(owner));
        }
        match self.settings.api_key()? {
            Some(key) => Ok(Authority::ApiKey(key)),
            None => {
                let admin = self.any_admin(admin).map_err(or_api_key);
                admin.map(Authority::Token)
            }
        }
    }
}

/// Adds the cure that this command has besides those of all commands.
fn or_api_key(failure: Failure) -> Failure {
    match failure.hint.clone() {
        Some(hint) => failure.hint(format!(
            "{hint}; for this command, {API_KEY_PLACES} does, too"
        )),
        None => failure,
    }
}

/// Returns the admin as whom commands act if nobody is named.
pub(crate) fn default_admin() -> Result<Actor, Failure> {
    "admin:metaia-cli"
        .parse()
        .map_err(|error: String| Failure::new(Exit::Failed, error))
}
