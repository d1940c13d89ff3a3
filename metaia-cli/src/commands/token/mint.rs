//! `metaia token mint`: prints a token that is signed with the server's secret.

use std::time::Duration;

use metaia_realtime::{Role, UserId};

use crate::actor::Actor;
use crate::clock;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};
use crate::span;
use crate::token::{Flaw, Minted, mint};

pub(super) const EXAMPLES: &str = "\
Examples:
  metaia token mint --role customer --user u1
  TOKEN=$(metaia token mint --role admin --user a1)
  curl -H \"Authorization: Bearer $TOKEN\" localhost:5000/api/orders
  metaia token mint --role tailor --user t1 --expired     test how an app handles it";

#[derive(Debug, clap::Args)]
pub(crate) struct MintArgs {
    /// The role and the user
    #[arg(value_name = "ROLE:USER", conflicts_with_all = ["role", "user", "actor"])]
    who: Option<Actor>,
    /// The role: customer, admin, tailor or delivery
    #[arg(long, required_unless_present_any = ["actor", "who"], requires = "user")]
    role: Option<Role>,
    /// The user's id: 1 to 64 characters of A-Z a-z 0-9 _ -
    #[arg(long, required_unless_present_any = ["actor", "who"], requires = "role")]
    user: Option<UserId>,
    /// The role and the user, as other commands take them
    #[arg(long = "as", value_name = "ROLE:USER", conflicts_with_all = ["role", "user"])]
    actor: Option<Actor>,
    /// Lifetime of the token, at least 1s
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = ttl)]
    ttl: Duration,
    /// Mint a token that expired three minutes ago
    #[arg(long, conflicts_with = "bad_signature")]
    expired: bool,
    /// Mint a token that is signed with another secret
    #[arg(long)]
    bad_signature: bool,
}

/// Reads a lifetime. The times in tokens are in seconds: a shorter one would be none.
fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = span::parse(text)?;
    if ttl < Duration::from_secs(1) {
        return Err("a token lives for at least 1s; --expired mints one that has expired".into());
    }
    Ok(ttl)
}

impl MintArgs {
    fn owner(&self) -> Result<Actor, Failure> {
        let actor = self.who.as_ref().or(self.actor.as_ref());
        match (actor, self.role, &self.user) {
            (Some(actor), _, _) => Ok(actor.clone()),
            (None, Some(role), Some(user)) => Ok(Actor {
                role,
                user: user.clone(),
            }),
            _ => Err(Failure::usage("no role and user given: use --as ROLE:USER")),
        }
    }
}

pub(super) fn run(args: &MintArgs, context: &Context) -> Result<Exit, Failure> {
    let actor = args.owner()?;
    let flaw = if args.expired {
        Flaw::Expired
    } else if args.bad_signature {
        Flaw::BadSignature
    } else {
        Flaw::None
    };
    let signer = context.settings.token_signer()?;
    let minted = mint(&actor, &signer, args.ttl, flaw, clock::unix_ms())?;
    context.printer.report(&minted)?;
    Ok(Exit::Ok)
}

impl Report for Minted {
    fn text(&self, _: Paint) -> String {
        self.token.clone()
    }
}
