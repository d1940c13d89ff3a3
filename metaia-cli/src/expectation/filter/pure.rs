//! The names that filters may use, and advice about those of jq that they may not.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jaq_core::native::Fun;

use super::children::Definition;
use super::metered;
use super::steps::{self, Stepped};
use crate::suggestion;

/// The names that depend on something other than the input, or that end or write something.
const IMPURE: [&str; 15] = [
    "debug",
    "debug_empty",
    "env",
    "get_search_list",
    "halt",
    "halt_error",
    "input",
    "input_filename",
    "input_line_number",
    "inputs",
    "localtime",
    "now",
    "stderr",
    "stderr_empty",
    "strflocaltime",
];

/// Names of jq that jaq lacks, and of other languages, with what to write.
const INSTEAD: [(&str, &str); 18] = [
    ("IN", "write VALUE as $x | any(A, B; . == $x)"),
    ("INDEX", "write map({(KEY): .}) | add"),
    ("GROUP_BY", "write group_by(KEY)"),
    ("UNIQUE_BY", "write unique_by(KEY)"),
    ("ascii", "write [.] | implode"),
    ("@csv", "write map(tostring) | join(\",\")"),
    ("@tsv", "write map(tostring) | join(\"\\t\")"),
    (
        "leaf_paths",
        "write paths(type != \"array\" and type != \"object\")",
    ),
    ("tostream", "write paths as $p | [$p, getpath($p)]"),
    ("fromstream", "read the members by their paths"),
    ("date", "write todate"),
    ("dateadd", "write fromdate + SECONDS"),
    ("datesub", "write fromdate - SECONDS"),
    ("trimstr", "write ltrimstr(TEXT) | rtrimstr(TEXT)"),
    ("toarray", "write if type == \"array\" then . else [.] end"),
    (
        "includes",
        "write contains(TEXT) for a text, index(VALUE) != null for a list",
    ),
    ("size", "write length"),
    ("undefined", "write null"),
];

/// The definitions of jq that are offered, with their steps.
static DEFINITIONS: LazyLock<Vec<Definition<'static>>> = LazyLock::new(|| {
    let all = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let offered = all.filter(|definition| !is_impure(definition.name));
    offered.map(metered::definition).collect()
});

/// The names that are offered, for suggestions.
static NAMES: LazyLock<BTreeSet<(&'static str, usize)>> = LazyLock::new(|| {
    let defined = DEFINITIONS.iter().map(|def| (def.name, def.args.len()));
    let native = functions().map(|(name, args, _)| (name, args.len()));
    let names = defined.chain(native);
    // Some names of jaq itself have more words than those of jq, or a blank.
    names.filter(|(name, _)| !name.contains(' ')).collect()
});

fn is_impure(name: &str) -> bool {
    IMPURE.contains(&name)
}

pub(super) fn definitions<'s>() -> impl Iterator<Item = Definition<'s>> {
    DEFINITIONS.iter().map(cloned)
}

/// Clones a definition for a program of a shorter life.
fn cloned<'s>(definition: &Definition<'static>) -> Definition<'s> {
    definition.clone()
}

pub(super) fn functions() -> impl Iterator<Item = Fun<Stepped>> {
    let all = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    all.filter(|(name, _, _)| !is_impure(name))
        .chain([steps::step()])
}

/// Returns what is wrong with a call of this name, which is not there, and a hint.
pub(super) fn undefined_call(name: &str, args: usize) -> (String, Option<String>) {
    if is_impure(name) {
        return impure(name);
    }
    let same_name = NAMES.iter().filter(|(known, _)| *known == name);
    let counts: Vec<String> = same_name.map(|(_, args)| args.to_string()).collect();
    if !counts.is_empty() {
        let message = format!("{name} takes {} arguments, not {args}", counts.join(" or "));
        return (
            message,
            Some("arguments stand in ( ), with ; between them".to_owned()),
        );
    }
    (format!("there is no filter {name}"), advice(name))
}

fn advice(name: &str) -> Option<String> {
    let instead = INSTEAD.iter().find(|(known, _)| *known == name);
    if let Some((_, advice)) = instead {
        return Some((*advice).to_owned());
    }
    let known = NAMES.iter().map(|(known, _)| *known);
    let nearest = suggestion::nearest(name, known);
    nearest.map_or_else(
        || {
            Some(format!(
                "if {name} is a member, write .{name}; if it is a text, {name:?}"
            ))
        },
        |nearest| Some(format!("did you mean {nearest}?")),
    )
}

/// Returns the message about a variable that is not there, and a hint.
pub(super) fn undefined_variable(name: &str, known: &[&str]) -> (String, Option<String>) {
    if name == "$ENV" {
        return impure(name);
    }
    let bare = name.trim_start_matches('$');
    let hint = match suggestion::nearest(bare, known.iter().copied()) {
        Some(nearest) => format!("did you mean ${nearest}?"),
        None if known.is_empty() => "there are no variables here".to_owned(),
        None => format!("there are ${}", known.join(", $")),
    };
    (format!("the variable {name} is not set"), Some(hint))
}

fn impure(name: &str) -> (String, Option<String>) {
    let message = format!("{name} is not offered: a filter depends on its event alone");
    let hint = match name {
        "localtime" => Some("write gmtime".to_owned()),
        "strflocaltime" => Some("write strftime".to_owned()),
        "now" => Some("compare with .data._rt.ts, the time of the commit".to_owned()),
        "env" | "$ENV" => Some("give the value as a variable".to_owned()),
        _ => None,
    };
    (message, hint)
}
