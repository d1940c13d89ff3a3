//! `metaia revoke`: revokes tokens for good.

use std::str::FromStr;

use metaia_realtime::UserId;
use metaia_realtime::values::InvalidId;
use serde_json::{Map, Value, json};

use super::admin::{Admin, AdminArgs};
use super::moment::TokenTime;
use super::table;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::members::object_member;

const EXAMPLES: &str = "\
Examples:
  metaia revoke user:u1                         all tokens of the user that were issued until now
  metaia revoke user:u1 --issued-before 2h      those that were issued two hours ago, or before
  metaia revoke jti:5f0c64                      one token: `metaia token inspect` shows its jti
  metaia revoke everyone --issued-before now    everyone has to sign in again, you too

Sessions of these tokens end within 5 s on all nodes, and official clients stay away. A token
without iat counts as issued at 0, so that its user is barred for good. A jti is revoked for every
issuer. There is no way back.";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// user:U, jti:J or everyone
    target: RevokedTokens,
    /// Only tokens that were issued then or before: a time that has passed, such as 5m, one in
    /// RFC 3339, Unix seconds, or now (everyone needs it)
    #[arg(long, value_name = "TIME", value_parser = TokenTime::parse)]
    issued_before: Option<TokenTime>,
    /// The end of the token of the jti (RFC 3339 or Unix seconds): the server forgets it then
    #[arg(long, value_name = "TIME", value_parser = TokenTime::parse_time)]
    expires_at: Option<TokenTime>,
    #[command(flatten)]
    admin: AdminArgs,
}

/// The tokens to revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RevokedTokens {
    User(UserId),
    Token(String),
    Everyone,
}

impl FromStr for RevokedTokens {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(user) = text.strip_prefix("user:") {
            let user = user.parse().map_err(|error: InvalidId| error.to_string())?;
            return Ok(Self::User(user));
        }
        match text.strip_prefix("jti:") {
            Some("") => Err("the jti is empty".to_owned()),
            Some(jti) => Ok(Self::Token(jti.to_owned())),
            None if text == "everyone" => Ok(Self::Everyone),
            None => Err("expected user:U, jti:J or everyone".to_owned()),
        }
    }
}

/// Revokes tokens, and prints the record that stands on the server.
pub(super) async fn revoke(args: Args, context: &Context) -> Result<Exit, Failure> {
    let body = body(&args)?;
    let admin = Admin::new(&args.admin, context)?;
    let answer = admin.post("/api/realtime/revoke", &body).await?;
    let revocation = Value::Object(object_member(&answer, "revocation")?.clone());
    table::print(vec![revocation], cells, context)?;
    Ok(Exit::Ok)
}

/// Returns the body of the request.
fn body(args: &Args) -> Result<Value, Failure> {
    let mut body = Map::new();
    match &args.target {
        RevokedTokens::User(user) => drop(body.insert("user".to_owned(), json!(user))),
        RevokedTokens::Token(jti) => drop(body.insert("jti".to_owned(), json!(jti))),
        RevokedTokens::Everyone if args.issued_before.is_none() => {
            return Err(Failure::usage("everyone has to sign in again after this")
                .hint("if you want that, add --issued-before now"));
        }
        RevokedTokens::Everyone => {}
    }
    let is_token = matches!(args.target, RevokedTokens::Token(_));
    if let Some(moment) = args.issued_before {
        if is_token {
            let message = "--issued-before has no meaning for one token";
            return Err(Failure::usage(message).hint("leave it out"));
        }
        body.insert("issuedBefore".to_owned(), moment.unix_seconds());
    }
    if let Some(moment) = args.expires_at {
        if !is_token {
            let message = "--expires-at is the end of one token";
            return Err(Failure::usage(message).hint("use it with jti:J, or leave it out"));
        }
        body.insert("expiresAt".to_owned(), moment.unix_seconds());
    }
    Ok(Value::Object(body))
}

fn cells(revocation: &Value) -> Vec<String> {
    let target = match (&revocation["user"], &revocation["jti"]) {
        (Value::String(user), _) => format!("user:{user}"),
        (_, Value::String(jti)) => format!("jti:{jti}"),
        _ => "everyone".to_owned(),
    };
    let time = |name: &str| TokenTime::from_unix_seconds(&revocation[name]);
    let bound = if let Some(moment) = time("issuedBefore") {
        format!("issued until {moment}")
    } else if let Some(moment) = time("expiresAt") {
        format!("kept until it expires, {moment}")
    } else {
        "for good".to_owned()
    };
    vec!["revoked".to_owned(), target, bound]
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn read(words: &str) -> Result<Value, String> {
        let line = Line::try_parse_from(format!("revoke {words}").split(' '));
        let line = line.map_err(|error| error.to_string())?;
        body(&line.args).map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_form_is_a_body() {
        for (words, expected) in [
            ("user:u1", json!({ "user": "u1" })),
            (
                "user:u1 --issued-before 2023-11-14T22:13:20.5Z",
                json!({ "user": "u1", "issuedBefore": 1_700_000_000.5 }),
            ),
            (
                "everyone --issued-before 1700000000",
                json!({ "issuedBefore": 1_700_000_000 }),
            ),
            ("jti:5f:0c", json!({ "jti": "5f:0c" })),
            (
                "jti:t --expires-at 4000000000",
                json!({ "jti": "t", "expiresAt": 4_000_000_000_i64 }),
            ),
        ] {
            assert_eq!(read(words), Ok(expected), "{words}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for words in [
            "everyone",
            "jti:",
            "u1",
            "customer:u1",
            "user:u 1",
            "jti:t --issued-before now",
            "user:u1 --expires-at 4000000000",
            "user:u1 --issued-before yesterday",
            "user:u1 --issued-before -5",
            "jti:t --expires-at 5m",
        ] {
            assert!(read(words).is_err(), "{words}");
        }
    }

    #[test]
    fn the_record_is_shown_in_one_line() {
        let shown = |revocation: Value| cells(&revocation).join("  ");
        assert_eq!(
            shown(json!({ "user": "u1", "issuedBefore": 1_700_000_000.123 })),
            "revoked  user:u1  issued until 2023-11-14T22:13:20.123Z"
        );
        assert_eq!(
            shown(json!({ "issuedBefore": 1_700_000_000 })),
            "revoked  everyone  issued until 2023-11-14T22:13:20.000Z"
        );
        assert_eq!(shown(json!({ "jti": "t" })), "revoked  jti:t  for good");
        assert_eq!(
            shown(json!({ "jti": "t", "expiresAt": 4_000_000_000_i64 })),
            "revoked  jti:t  kept until it expires, 2096-10-02T07:06:40.000Z"
        );
    }
}
