//! `metaia token inspect`: takes a token from wherever it is, and prints what it contains and what
//! is wrong with it.

use std::io::Read as _;

use metaia_realtime::JwtAuthenticator;
use metaia_realtime::auth::jwks::JwksSource;

use crate::clock;
use crate::context::Context;
use crate::diagnosis::refusal_exit;
use crate::exit::{Exit, Failure};
use crate::token::{
    PastedToken, TokenReport, Zone, compact_json, inspect, inspect_with, printable,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  metaia token inspect eyJhbGciOi…
  metaia token inspect \"Authorization: Bearer eyJhbGciOi…\"    as copied from a request
  METAIA_TOKEN=eyJhbGciOi… metaia token inspect              the token that metaia would use
  pbpaste | metaia token inspect -
  metaia token inspect --jwks https://login.example/.well-known/jwks.json eyJhbGciOi…";

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The token, also with `Bearer` before it; - reads standard input; default: the token of
    /// --token, --token-file or METAIA_TOKEN
    #[arg(value_name = "JWT", conflicts_with_all = ["token", "token_file"])]
    jwt: Vec<String>,
    /// The public keys of the token's issuer (JWKS), for RS256, ES256 and EdDSA
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
}

pub(super) async fn run(args: &InspectArgs, context: &Context) -> Result<Exit, Failure> {
    let text = match args.jwt.join(" ") {
        _ if args.jwt.is_empty() => token_of(context)?,
        dash if dash == "-" => standard_input()?,
        words => words,
    };
    let pasted = one_token(&text)?;
    let secrets = context.settings.jwt_secrets_to_compare()?;
    let checked = match &args.jwks {
        Some(place) => with_key_set(&pasted, &secrets, place).await?,
        None => inspect(&pasted, &secrets, clock::unix_ms()),
    };
    let report = TokenReport {
        zone: Zone::local(),
        secrets_from: Some(keys_from(&checked, args.jwks.as_deref(), context)),
        ..checked
    };
    let exit = match report.refusal {
        Some(error) => refusal_exit(error.code()),
        None => Exit::Ok,
    };
    context.printer.verdict(&report, exit)
}

/// Judges a token as a server with these secrets and this key set does.
async fn with_key_set(
    pasted: &PastedToken<'_>,
    secrets: &[String],
    place: &str,
) -> Result<TokenReport, Failure> {
    let unusable = || Failure::usage(format!("--jwks: the keys of {place} cannot be used"));
    let source = if place.contains("://") {
        JwksSource::url(place)
    } else {
        JwksSource::file(place)
    };
    let source = source.map_err(|error| unusable().caused_by(error))?;
    let mut authenticator = JwtAuthenticator::jwks(source);
    for secret in secrets {
        let with_secret = authenticator.or_hs256(secret);
        authenticator = with_secret.map_err(|error| unusable().caused_by(error))?;
    }
    let loaded = authenticator.wait_for_keys().await;
    loaded.map_err(|(place, error)| {
        let text = format!("--jwks: the keys cannot be loaded from {place}");
        Failure::new(Exit::Unreachable, text).caused_by(error)
    })?;
    Ok(inspect_with(pasted, Some(&authenticator), clock::unix_ms()))
}

/// Returns the place of the key that checks a token.
fn keys_from(report: &TokenReport, jwks: Option<&str>, context: &Context) -> String {
    match (jwks, report.public_algorithm()) {
        (Some(place), Some(algorithm)) => {
            let key = report.header.get("kid").map_or_else(
                || format!("the only {algorithm} key"),
                |id| format!("the {algorithm} key {}", compact_json(id.get())),
            );
            format!("{key} of {}", printable(place))
        }
        _ => context.settings.jwt_secrets_from(),
    }
}

/// Returns the token that other commands would use.
fn token_of(context: &Context) -> Result<String, Failure> {
    let identity = context.identity(None).map_err(|_| {
        Failure::usage("no token given").hint(
            "give it as an argument, - to read standard input, or use --token, --token-file or \
             METAIA_TOKEN",
        )
    })?;
    identity.token()
}

fn one_token(text: &str) -> Result<PastedToken<'_>, Failure> {
    let pasted = PastedToken::read(text);
    if pasted.token.is_empty() {
        return Err(Failure::usage("the token is empty")
            .hint("if it comes from a variable, check that the variable is set in this shell"));
    }
    if pasted.token.contains(char::is_whitespace) {
        return Err(Failure::usage(
            "the token contains white space: give exactly one token",
        ));
    }
    Ok(pasted)
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::usage("standard input cannot be read").caused_by(error))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let failure = one_token(text).unwrap_err();
        assert_eq!((failure.exit, &*failure.chain()), (Exit::Usage, expected));
    }

    #[test]
    fn an_argument_is_one_token() {
        for empty in ["", " ", "Bearer", "\"\""] {
            check_refused(empty, "the token is empty");
        }
        for several in ["a.b.c d.e.f", "Bearer a.b.c d"] {
            check_refused(
                several,
                "the token contains white space: give exactly one token",
            );
        }
        assert_eq!(one_token("Bearer a.b.c\n").unwrap().token, "a.b.c");
    }
}
