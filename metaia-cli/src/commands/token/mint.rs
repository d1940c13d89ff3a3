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
    /// The role: customer, admin, tailor or delivery
    #[arg(long)]
    role: Role,
    /// The user's id: 1 to 64 characters of A-Z a-z 0-9 _ -
    #[arg(long)]
    user: UserId,
    /// Lifetime of the token
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = span::parse)]
    ttl: Duration,
    /// Mint a token that expired three minutes ago
    #[arg(long, conflicts_with = "bad_signature")]
    expired: bool,
    /// Mint a token that is signed with another secret
    #[arg(long)]
    bad_signature: bool,
}

pub(super) fn run(args: &MintArgs, context: &Context) -> Result<Exit, Failure> {
    let actor = Actor {
        role: args.role,
        user: args.user.clone(),
    };
    let flaw = if args.expired {
        Flaw::Expired
    } else if args.bad_signature {
        Flaw::BadSignature
    } else {
        Flaw::None
    };
    let secret = context.settings.jwt_secret()?;
    let minted = mint(&actor, &secret, args.ttl, flaw, clock::unix_s())?;
    context.printer.report(&minted)?;
    Ok(Exit::Ok)
}

impl Report for Minted {
    fn text(&self, _: Paint) -> String {
        self.token.clone()
    }
}
