//! `metaia token mint` and `metaia token inspect`: print a token, and explain one.

use std::io::Read as _;
use std::time::Duration;

use clap::Subcommand;
use metaia_realtime::auth::SignatureCheck;
use metaia_realtime::values::JsonNumber;
use metaia_realtime::{Role, UserId};

use crate::actor::Actor;
use crate::clock;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};
use crate::span;
use crate::token::{Flaw, Minted, TokenReport, compact_json, inspect, mint, printable};

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
    /// Show the claims of a token, and why a server would refuse it (exit code 4 if it would, or
    /// if no secret is known to check the signature with)
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
    let secrets = context.settings.accepted_jwt_secrets();
    let report = inspect(token.trim(), &secrets, clock::unix_ms());
    context.printer.report(&report)?;
    Ok(if report.is_accepted {
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

impl Report for TokenReport {
    fn text(&self, paint: Paint) -> String {
        let mut lines = Vec::new();
        for (name, value) in self.claims.iter() {
            lines.push(format!("{}: {}", printable(name), claim(name, value.get())));
        }
        let signature = match self.check {
            SignatureCheck::Good => paint.good("good"),
            SignatureCheck::Bad => paint.bad("wrong"),
            SignatureCheck::Unchecked => "not checked".to_owned(),
        };
        lines.push(format!("signature: {signature}"));
        for problem in &self.problems {
            lines.push(format!("{} {}", paint.bad("refused:"), problem.message));
        }
        for warning in &self.warnings {
            lines.push(format!("warning: {}", warning.message));
        }
        lines.extend(self.conclusion(paint));
        lines.join("\n")
    }
}

impl TokenReport {
    fn conclusion(&self, paint: Paint) -> Option<String> {
        if self.is_accepted {
            return Some(paint.good("no problems found"));
        }
        let is_only_unchecked = self.problems.is_empty();
        is_only_unchecked.then(|| {
            "no other problems found: set JWT_SECRET, or run this in the server's folder, \
             to check the signature"
                .to_owned()
        })
    }
}

/// Formats a claim; times are followed by date and time in UTC.
fn claim(name: &str, value: &str) -> String {
    match (name, JsonNumber::parse(value)) {
        ("exp" | "iat" | "nbf", Some(seconds)) => {
            let ms = seconds.floor_thousandfold();
            format!("{value} ({})", clock::date_time(ms.div_euclid(1_000)))
        }
        _ => compact_json(value),
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use metaia_realtime::auth::enable_hmac;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn an_inspection_shows_the_claims_and_the_problems() {
        let actor = "tailor:t1".parse().unwrap();
        let now = 1_700_000_000;
        let ttl = Duration::from_secs(60);
        let minted = mint(&actor, "secret", ttl, Flaw::Expired, now).unwrap();
        let secrets = ["other".to_owned()];
        let report = inspect(&minted.token, &secrets, now * 1_000);
        let text = report.text(Paint::PLAIN);
        let lines = text.lines().filter(|line| !line.starts_with("jti: "));
        let text: Vec<&str> = lines.collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        exp: 1699999820 (2023-11-14 22:10:20Z)
        iat: 1699999760 (2023-11-14 22:09:20Z)
        role: "tailor"
        userId: "t1"
        signature: wrong
        refused: wrong signature: signed with another secret, or modified after signing
        refused: expired 3 min ago
        "#);
    }

    #[test]
    fn a_signature_that_was_not_checked_is_no_good_news() {
        let actor = "tailor:t1".parse().unwrap();
        let ttl = Duration::from_secs(60);
        let minted = mint(&actor, "secret", ttl, Flaw::None, 1_700_000_000).unwrap();
        let report = inspect(&minted.token, &[], 1_700_000_000_000);
        assert!(!report.is_accepted);
        assert!(report.text(Paint::PLAIN).contains("not checked"));
        assert!(!report.text(Paint::PLAIN).contains("no problems found"));
    }

    /// Returns the report on a token whose claims are written like this.
    fn written(claims: &str) -> TokenReport {
        enable_hmac();
        let claims: &RawValue = serde_json::from_str(claims).unwrap();
        let key = EncodingKey::from_secret(b"secret");
        let token = encode(&Header::default(), &claims, &key.unwrap()).unwrap();
        inspect(&token, &["secret".to_owned()], 0)
    }

    #[track_caller]
    fn check_claim(claims: &str, expected: &str) {
        let report = written(claims);
        let text = report.text(Paint::PLAIN);
        assert_eq!(text.lines().next(), Some(expected), "{text}");
        let is_safe = |c: char| c == '\n' || !c.is_control();
        assert!(text.chars().all(is_safe), "{text:?}");
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(json.lines().count(), 1, "{json}");
    }

    #[test]
    fn a_name_of_a_claim_cannot_look_like_another_line() {
        check_claim(
            r#"{"a\u001b[2K\nsignature: good":1}"#,
            r"a\u{1b}[2K\nsignature: good: 1",
        );
        check_claim(
            r#"{"a\u009b\u202e\u2028":1}"#,
            r"a\u{9b}\u{202e}\u{2028}: 1",
        );
        check_claim(r#"{"größe":1}"#, "größe: 1");
    }

    #[test]
    fn a_claim_is_printed_in_one_line_without_control_characters() {
        check_claim(
            "{\"a\":{\r\n \"b c\" : [1.50,\t2] }}",
            r#"a: {"b c":[1.50,2]}"#,
        );
        check_claim(r#"{"a":"x\n\u001b y"}"#, r#"a: "x\n\u001b y""#);
        check_claim(
            "{\"a\":\"\u{9b}2J\u{202e}\u{7f}\"}",
            r#"a: "\u009b2J\u202e\u007f""#,
        );
        check_claim(r#"{"a":"\" : \\","b":1}"#, r#"a: "\" : \\""#);
    }

    #[test]
    fn a_problem_is_printed_in_one_line_without_control_characters() {
        for claims in [
            "{\"exp\":1,\"sub\":{\r\n\"signature\":\"\u{9b}\"}}",
            "{\"exp\":1,\"sub\":\"\u{9b}\\nsignature: good\"}",
            "{\"exp\":1,\"role\":\"\u{9b}\u{202e}\"}",
        ] {
            let text = written(claims).text(Paint::PLAIN);
            let is_safe = |c: char| c == '\n' || !c.is_control();
            assert!(text.chars().all(is_safe), "{text:?}");
            let known = ["exp: ", "sub: ", "role: ", "signature: good", "refused: "];
            for line in text.lines() {
                assert!(known.iter().any(|known| line.starts_with(known)), "{line}");
            }
        }
    }

    #[test]
    fn a_time_in_any_form_is_followed_by_its_date() {
        assert_eq!(claim("exp", "1.7e9"), "1.7e9 (2023-11-14 22:13:20Z)");
        assert_eq!(claim("nbf", "-0.5"), "-0.5 (1969-12-31 23:59:59Z)");
        assert_eq!(claim("exp", "true"), "true");
        assert_eq!(claim("n", "1"), "1");
    }
}
