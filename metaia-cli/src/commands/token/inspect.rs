//! `metaia token inspect`: takes a token from wherever it is, and prints what it contains and what
//! is wrong with it.

use std::io::Read as _;

use crate::clock;
use crate::context::Context;
use crate::diagnosis::refusal_exit;
use crate::exit::{Exit, Failure};
use crate::secrets::Settings;
use crate::token::{PastedToken, TokenReport, Zone, inspect};

pub(super) const EXAMPLES: &str = "\
Examples:
  metaia token inspect eyJhbGciOi…
  metaia token inspect \"Authorization: Bearer eyJhbGciOi…\"    as copied from a request
  METAIA_TOKEN=eyJhbGciOi… metaia token inspect              the token that metaia would use
  pbpaste | metaia token inspect -";

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The token, also with `Bearer` before it; - reads standard input; default: the token of
    /// --token, --token-file or METAIA_TOKEN
    #[arg(value_name = "JWT", conflicts_with_all = ["token", "token_file"])]
    jwt: Vec<String>,
}

pub(super) fn run(args: &InspectArgs, context: &Context) -> Result<Exit, Failure> {
    let text = match args.jwt.join(" ") {
        _ if args.jwt.is_empty() => token_of(context)?,
        dash if dash == "-" => standard_input()?,
        words => words,
    };
    let pasted = one_token(&text)?;
    let report = TokenReport {
        zone: Zone::local(),
        secrets_from: Some(secrets_from(&context.settings)),
        ..inspect(&pasted, &secrets(&context.settings)?, clock::unix_ms())
    };
    let exit = match report.refusal {
        Some(error) => refusal_exit(error.code()),
        None => Exit::Ok,
    };
    context.printer.verdict(&report, exit)
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

/// Returns the secrets that the server accepts. If its present one is not known, there are none:
/// with the old ones alone, a good token would look like a forged one.
fn secrets(settings: &Settings) -> Result<Vec<String>, Failure> {
    if !settings.has_jwt_secret() {
        return Ok(Vec::new());
    }
    // One that is known, and cannot be read, is a mistake of the context.
    settings.jwt_secret()?;
    Ok(settings.accepted_jwt_secrets())
}

fn secrets_from(settings: &Settings) -> String {
    let of_context = settings
        .context()
        .filter(|context| context.jwt_secret.is_some());
    let present = match (settings.find("JWT_SECRET"), of_context) {
        (Some(_), _) => "JWT_SECRET".to_owned(),
        (None, Some(context)) => format!("jwt_secret of the context {}", context.name),
        (None, None) => "the secret of the server's data folder".to_owned(),
    };
    match settings.find("JWT_SECRETS_OLD") {
        Some(_) => format!("{present} and JWT_SECRETS_OLD"),
        None => present,
    }
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
