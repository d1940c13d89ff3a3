//! Completion of a line with Tab: the line, the place in it, and what is known give the candidates.
//! Pure, but for the names of files, which the caller looks up.
//!
//! Commands, roles, events and orders are completed; orders and events from what was received in
//! this run. A candidate begins with what was typed, also with its quote. Within JSON and behind a
//! closed quote there are none.

mod known;
mod listing;
mod paths;
mod typed_word;

use super::command::{VERBS, payload_of_event};
use crate::event_names;
pub(super) use known::Known;
pub(super) use listing::listing;
pub(super) use paths::paths;
use typed_word::TypedWord;

/// The possible texts of the word that is being typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Completion {
    /// The place at which the word begins.
    pub(super) start: usize,
    /// The names that fit, as a person reads them.
    pub(super) names: Vec<String>,
    /// The text that replaces the word up to the place of the cursor, if it says more.
    pub(super) longer: Option<String>,
}

/// Completes the word that ends at a place of a line. `paths` returns the paths of files that begin
/// with a text.
pub(super) fn complete(
    line: &str,
    at: usize,
    known: &Known,
    paths: impl Fn(&str) -> Vec<String>,
) -> Option<Completion> {
    let word = TypedWord::at(line, at)?;
    if is_json(line, word.start) {
        return None;
    }
    let mut names = names(&word, known, paths);
    names.retain(|name| name.starts_with(&word.said) && word.written(name).is_some());
    let longer = match &names[..] {
        [only] => word.whole(only, &line[at..]),
        _ => common_beginning(&names).and_then(|common| word.written(common)),
    };
    Some(Completion {
        start: word.start,
        longer: longer.filter(|longer| *longer != line[word.start..at]),
        names,
    })
}

/// Returns true if a place is within a payload that is written as JSON.
fn is_json(line: &str, at: usize) -> bool {
    let payload = payload_of_event(line).filter(|payload| *payload < at);
    payload.is_some_and(|payload| line[payload..].starts_with(['{', '[', '"']))
}

/// Returns the names that may stand in the place of a word.
fn names(word: &TypedWord, known: &Known, paths: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let before: Vec<&str> = word.before.iter().map(String::as_str).collect();
    let (actor, before) = match &before[..] {
        [first, rest @ ..] => match first.strip_prefix('@') {
            Some(actor) => (Some(actor), rest),
            None => (None, &before[..]),
        },
        [] => (None, &before[..]),
    };
    match before {
        [] if actor.is_none() && word.said.starts_with('@') => at_signed(known.labels()),
        [] => VERBS.map(str::to_owned).to_vec(),
        ["/join"] | ["/emit", "join_order_room"] => known.orders(),
        ["/leave"] | ["/emit", "leave_order_room"] => known.joined(actor),
        ["/as"] => known.labels().chain(["all"]).map(str::to_owned).collect(),
        ["/emit"] => {
            let mut names = known.events_and(event_names::OF_CLIENTS);
            // The server refuses its own from clients.
            names.retain(|name| !event_names::is_known(name));
            names
        }
        ["/await"] => known.events_and(event_names::KNOWN.into_iter().chain(["live"])),
        ["/emit" | "/await", _, ..] if word.said.starts_with('@') => {
            let paths = paths(&word.said[1..]);
            at_signed(paths.iter().map(String::as_str))
        }
        _ => Vec::new(),
    }
}

fn at_signed<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(|name| format!("@{name}")).collect()
}

/// Returns the longest text that all names begin with; `None` without names.
fn common_beginning(names: &[String]) -> Option<&str> {
    let (first, others) = names.split_first()?;
    let mut common = first.as_str();
    for name in others {
        let same = common.char_indices().zip(name.chars());
        let same = same.take_while(|((_, one), other)| one == other);
        let end = same.map(|((at, c), _)| at + c.len_utf8()).last();
        common = &common[..end.unwrap_or(0)];
    }
    Some(common)
}

#[cfg(test)]
mod tests;
