//! `metaia explain CODE`: what a code means, and what to do.

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
  metaia explain                      all of them";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// A code of the server, of a report of `metaia test`, or an exit code
    code: Option<String>,
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
        .filter(|code| wanted.is_none_or(|wanted| code.name.eq_ignore_ascii_case(wanted)))
        .collect();
    if found.is_empty() {
        let wanted = wanted.unwrap_or_default();
        let failure = Failure::usage(format!("{wanted:?} is no code that metaia knows"));
        let names = codes().map(|code| code.name);
        return Err(match suggestion::nearest(wanted, names) {
            Some(meant) => failure.hint(format!("did you mean {meant}?")),
            None => failure.hint("`metaia explain` lists them"),
        });
    }
    for code in &found {
        context.printer.report(&Explanation::from(code))?;
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

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
