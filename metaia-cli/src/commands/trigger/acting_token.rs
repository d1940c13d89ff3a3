//! The supplied token as an actor: the steps that it is for. No step is done as somebody else
//! because the token cannot be used.

use metaia_realtime::{
    Role,
    auth::{AuthError, inspect_token},
};

use super::cast::Cast;
use super::flow::Flow;
use crate::actor::Actor;
use crate::context::Context;
use crate::diagnosis::{SuppliedBy, TokenKind, refusal_exit};
use crate::exit::Failure;
use crate::identity::Identity;

/// A token whose role takes part in the flow.
#[derive(Debug)]
pub(super) struct ActingToken {
    pub(super) identity: Identity,
    pub(super) owner: Actor,
}

impl ActingToken {
    /// Returns the supplied token for the steps that it can do. An option that names another user
    /// replaces a token of the environment, and contradicts one of an option.
    pub(super) fn find(cast: &Cast<'_>, context: &Context) -> Result<Option<Self>, Failure> {
        let Some(identity) = context.token_owner()? else {
            return Ok(None);
        };
        let owner = owner(&identity)?;
        let Err(reason) = check(cast, &owner) else {
            return Ok(Some(Self { identity, owner }));
        };
        if context.is_token_explicit() || !cast.names_actor() {
            let hint = "without a token (--token, METAIA_TOKEN), metaia mints one for each user";
            return Err(Failure::usage(reason).hint(hint));
        }
        let token = match identity.token_kind() {
            TokenKind::Supplied(SuppliedBy::Context) => "the token of the context",
            _ => "METAIA_TOKEN",
        };
        let note = format!("{token} is not used: {reason}");
        context.printer.note(&note);
        Ok(None)
    }
}

/// Returns the role and user of a token. Without them, its steps are not known.
fn owner(identity: &Identity) -> Result<Actor, Failure> {
    let token = identity.token()?;
    if token.is_empty() {
        return Err(Failure::usage("the token is empty"));
    }
    identity.owner().ok_or_else(|| without_owner(&token))
}

/// Returns the failure of a token that names no user, or no role that there is.
fn without_owner(token: &str) -> Failure {
    let flaws = inspect_token(token, None, 0).flaws;
    let failure = match flaws
        .iter()
        .find(|flaw| flaw.error() == AuthError::Forbidden)
    {
        Some(flaw) => Failure::new(
            refusal_exit(flaw.error().code()),
            format!("the token cannot be used: {flaw}"),
        ),
        None => Failure::usage("the token cannot be used: it names no role and user"),
    };
    failure.hint("metaia token inspect shows what it contains")
}

/// Checks that the owner of a token can do a step, and that no option names another user for it.
fn check(cast: &Cast<'_>, owner: &Actor) -> Result<(), String> {
    let roles = cast.acting_roles();
    let is_sender = cast.flow == Flow::NewNotification;
    if !is_sender && !roles.contains(&owner.role) {
        let roles: Vec<String> = roles.iter().map(Role::to_string).collect();
        let roles = roles.join(" and ");
        return Err(format!(
            "no step can use the token of {owner}: this flow acts as {roles}"
        ));
    }
    let role = if is_sender { Role::Admin } else { owner.role };
    match cast.actor_option(role) {
        Some((option, user)) if (role, user) != (owner.role, &owner.user) => Err(format!(
            "{option} names {role}:{user}, and the token is that of {owner}"
        )),
        _ => Ok(()),
    }
}
