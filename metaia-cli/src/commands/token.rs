//! `metaia token mint` and `metaia token inspect`: print a token, and explain one.

use std::io::Read as _;
use std::time::Duration;

use clap::Subcommand;
use metaia_realtime::{Role, UserId};
use serde_json::Value;

use crate::actor::Actor;
use crate::clock;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};
use crate::span;
use crate::token::{Flaw, Inspection, Minted, Signature, inspect, mint};

const MINT_EXAMPLES: &str = "\
Examples:
  metaia token mint --role customer --user u1
  TOKEN=$(metaia token mint --role admin --user a1)
  curl -H \"Authorization: Bearer $TOKEN\" localhost:5000/api/orders
  metaia token mint --role tailor --user t1 --expired     test how an app handles it";

const INSPECT_EXAMPLES: &str = "\
Examples:
  metaia token inspect eyJhbGciOi…
  pbpaste | metaia token inspect -";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Mint a token with the server's secret
    #[command(before_help = MINT_EXAMPLES)]
    Mint(MintArgs),
    /// Show the claims of a token, and why a server would refuse it (exit code 4 if it would)
    #[command(before_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
}

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

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The token; - reads standard input
    #[arg(value_name = "JWT")]
    jwt: String,
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Mint(args) => run_mint(&args, context),
            Self::Inspect(args) => run_inspect(&args, context),
        }
    }
}

fn run_mint(args: &MintArgs, context: &Context) -> Result<Exit, Failure> {
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

fn run_inspect(args: &InspectArgs, context: &Context) -> Result<Exit, Failure> {
    let token = if args.jwt == "-" {
        standard_input()?
    } else {
        args.jwt.clone()
    };
    // Without a secret, everything but the signature is checked.
    let secret = context.settings.jwt_secret().ok();
    let inspection = inspect(token.trim(), secret.as_deref(), clock::unix_s());
    context.printer.report(&inspection)?;
    Ok(if inspection.problems.is_empty() {
        Exit::Ok
    } else {
        Exit::Unauthenticated
    })
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::usage("standard input cannot be read").caused_by(error))?;
    Ok(text)
}

impl Report for Inspection {
    fn text(&self, paint: Paint) -> String {
        let mut lines = Vec::new();
        for (name, value) in &self.claims {
            lines.push(format!("{name}: {}", claim(name, value)));
        }
        let signature = match self.signature {
            Signature::Good => paint.good("good"),
            Signature::Bad => paint.bad("wrong"),
            Signature::Unchecked => "not checked: no secret for it".to_owned(),
        };
        lines.push(format!("signature: {signature}"));
        for problem in &self.problems {
            lines.push(format!("{} {}", paint.bad("refused:"), problem.message));
        }
        if self.problems.is_empty() {
            lines.push(paint.good("no problems found"));
        }
        lines.join("\n")
    }
}

/// Formats a claim; times are followed by date and time in UTC.
fn claim(name: &str, value: &Value) -> String {
    match (name, value.as_i64()) {
        ("exp" | "iat" | "nbf", Some(time)) => format!("{value} ({})", clock::date_time(time)),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inspection_shows_the_claims_and_the_problems() {
        let actor = "tailor:t1".parse().unwrap();
        let now = 1_700_000_000;
        let ttl = Duration::from_secs(60);
        let minted = mint(&actor, "secret", ttl, Flaw::Expired, now).unwrap();
        let mut inspection = inspect(&minted.token, Some("other"), now);
        inspection.claims.remove("jti");
        insta::assert_snapshot!(inspection.text(Paint::PLAIN), @r#"
        exp: 1699999820 (2023-11-14 22:10:20Z)
        iat: 1699999760 (2023-11-14 22:09:20Z)
        role: "tailor"
        userId: "t1"
        signature: wrong
        refused: wrong signature: signed with another secret, or modified after signing
        refused: expired 3 min ago
        "#);
    }
}
