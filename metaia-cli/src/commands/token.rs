//! `metaia token mint` and `metaia token inspect`.

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
  curl -H \"Authorization: Bearer $(metaia token mint --role admin --user a1)\" localhost:5000/api/orders
  metaia token mint --role tailor --user t1 --expired     to see how an app takes it";

const INSPECT_EXAMPLES: &str = "\
Examples:
  metaia token inspect eyJhbGciOi…
  pbpaste | metaia token inspect -";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token with the server's secret
    #[command(before_help = MINT_EXAMPLES)]
    Mint(MintArgs),
    /// Show what is in a token, and why a server would refuse it (then exit code 4)
    #[command(before_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct MintArgs {
    /// customer, admin, tailor or delivery
    #[arg(long)]
    role: Role,
    /// 1 to 64 of A-Z a-z 0-9 _ -
    #[arg(long)]
    user: UserId,
    /// How long it lives
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = span::parse)]
    ttl: Duration,
    /// One that ended three minutes ago
    #[arg(long, conflicts_with = "bad_signature")]
    expired: bool,
    /// One that is signed with another secret
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
    let flaw = match (args.expired, args.bad_signature) {
        (true, _) => Flaw::Expired,
        (_, true) => Flaw::BadSignature,
        _ => Flaw::None,
    };
    let minted = mint(
        &actor,
        &context.settings.jwt_secret()?,
        args.ttl,
        flaw,
        clock::unix_s(),
    )?;
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
        let claims = self
            .claims
            .iter()
            .map(|(name, value)| format!("{name}: {}", claim(name, value)));
        let signature = match self.signature {
            Signature::Good => paint.good("good"),
            Signature::Bad => paint.bad("wrong"),
            Signature::Unchecked => "not checked: no secret for it".to_owned(),
        };
        let verdict = if self.problems.is_empty() {
            vec![paint.good("nothing speaks against it")]
        } else {
            self.problems
                .iter()
                .map(|problem| format!("{} {}", paint.bad("refused:"), problem.message))
                .collect()
        };
        let lines = claims
            .chain([format!("signature: {signature}")])
            .chain(verdict);
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Moments are shown as such too.
fn claim(name: &str, value: &Value) -> String {
    match (name, value.as_i64()) {
        ("exp" | "iat" | "nbf", Some(moment)) => format!("{value} ({})", clock::date_time(moment)),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inspection_says_what_is_in_and_what_is_wrong() {
        let actor = "tailor:t1".parse().unwrap();
        let token = mint(
            &actor,
            "secret",
            Duration::from_secs(60),
            Flaw::Expired,
            1_700_000_000,
        )
        .unwrap()
        .token;
        let mut inspection = inspect(&token, Some("other"), 1_700_000_000);
        inspection.claims.remove("jti");
        insta::assert_snapshot!(inspection.text(Paint::PLAIN), @r#"
        exp: 1699999820 (2023-11-14 22:10:20Z)
        iat: 1699999760 (2023-11-14 22:09:20Z)
        role: "tailor"
        userId: "t1"
        signature: wrong
        refused: wrong signature: signed with another secret, or changed afterwards
        refused: expired 3 min ago
        "#);
    }
}
