//! `metaia explain CODE`: what a code means, and what to do.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use serde::Serialize;

use crate::codes::{Code, codes};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};
use crate::suggestion;

const EXAMPLES: &str = "\
Examples:
  metaia explain origin_not_allowed
  metaia explain 6                    an exit code
  metaia explain 413                  a status of HTTP
  metaia explain websocket            a check of metaia doctor
  metaia explain rt:end               all that may stand in it
  metaia explain                      all of them";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// A code of the server, of a report of `metaia test`, an exit code, or rt:end or rt:reset for
    /// all of its codes
    #[arg(value_parser = CodeParser, hide_possible_values = true)]
    code: Option<String>,
}

/// Takes every text, since `explain` itself says what was meant. Shells are told the codes.
#[derive(Debug, Clone, Copy)]
struct CodeParser;

impl TypedValueParser for CodeParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        // Several places have the same code.
        let names: BTreeSet<&str> = codes().map(|code| code.name).collect();
        Some(Box::new(names.into_iter().map(PossibleValue::new)))
    }
}

/// One code, as it is printed.
#[derive(Debug, Serialize)]
struct Explanation {
    code: &'static str,
    #[serde(rename = "in")]
    place: &'static str,
    meaning: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cure: &'static str,
}

impl From<&Code> for Explanation {
    fn from(code: &Code) -> Self {
        Self {
            code: code.name,
            place: code.place.name(),
            meaning: code.meaning,
            cure: code.cure,
        }
    }
}

impl Report for Explanation {
    fn text(&self, paint: Paint) -> String {
        let head = format!("{}  {}", paint.name(self.code), paint.dim(self.place));
        if self.cure.is_empty() {
            return format!("{head}\n  {}", self.meaning);
        }
        format!("{head}\n  {}\n  → {}", self.meaning, self.cure)
    }
}

/// Prints what the code means, once for each place that has it; without a code, prints all.
pub(crate) fn explain(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = args.code.as_deref().map(str::trim);
    let found: Vec<Code> = codes()
        .filter(|code| wanted.is_none_or(|wanted| is_meant(code, wanted)))
        .collect();
    if found.is_empty() {
        let wanted = wanted.unwrap_or_default();
        let failure = Failure::usage(format!("{wanted:?} is no code that metaia knows"));
        return Err(match nearest(wanted) {
            Some(meant) => failure.hint(format!("did you mean {meant}?")),
            None => failure.hint("`metaia explain` lists them"),
        });
    }
    for code in &found {
        context.printer.report(&Explanation::from(code))?;
    }
    Ok(Exit::Ok)
}

/// Returns whether this text names the code, or the event that it stands in.
fn is_meant(code: &Code, wanted: &str) -> bool {
    let is_name = code.name.eq_ignore_ascii_case(wanted);
    let is_short_name = short_name(code.name).eq_ignore_ascii_case(wanted);
    is_name || is_short_name || code.place.event() == Some(wanted)
}

/// Returns the name without the word before it that all checks of `metaia doctor` have.
fn short_name(name: &'static str) -> &'static str {
    name.strip_prefix("doctor.").unwrap_or(name)
}

/// Returns the whole name of the code that is written nearly like this.
fn nearest(wanted: &str) -> Option<&'static str> {
    let names = || codes().map(|code| code.name);
    let short = wanted.strip_prefix("doctor.").unwrap_or(wanted);
    let short = suggestion::nearest(short, names().map(short_name))?;
    names().find(|name| short_name(name) == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_check_of_the_doctor_gets_a_suggestion() {
        assert_eq!(nearest("websockt"), Some("doctor.websocket"));
        assert_eq!(nearest("doctor.websockt"), Some("doctor.websocket"));
        assert_eq!(nearest("slow_consumr"), Some("slow_consumer"));
        assert_eq!(nearest("xyzxyzxyz"), None);
    }

    #[track_caller]
    fn check_meant(wanted: &str, expected: &[&str]) {
        let meant = codes().filter(|code| is_meant(code, wanted));
        let names: Vec<&str> = meant.map(|code| code.name).collect();
        assert!(names.starts_with(expected), "{wanted}: {names:?}");
        assert!(!expected.is_empty());
    }

    #[test]
    fn a_code_is_found_by_its_name_or_by_its_event() {
        check_meant("websocket", &["doctor.websocket"]);
        check_meant("DOCTOR.websocket", &["doctor.websocket"]);
        check_meant("413", &["413"]);
        check_meant("ping_timeout", &["ping_timeout"]);
        check_meant("rt:reset", &["epoch_changed", "too_old"]);
        check_meant("rt:end", &["kicked", "too_many_sessions"]);
    }

    #[test]
    fn an_explanation_says_where_what_and_the_cure() {
        let code = codes().find(|code| code.name == "origin_not_allowed");
        insta::assert_snapshot!(Explanation::from(&code.unwrap()).text(Paint::PLAIN), @r"
        origin_not_allowed  in a refused connection
          the server does not know the origin of this browser's page
          → add it to CORS_ORIGINS on the server; behind a proxy, set METAIA_TRUSTED_PROXIES
        ");
    }
}
