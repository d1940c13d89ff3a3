//! The commands that `metaia connect` reads from standard input, one per line.

#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::awaited::AwaitArgs;
use super::words::{beginning_of_word, is_end, items, leading_json, split};
use crate::order_ref::OrderRef;
use crate::payload_args::PayloadArg;
use crate::span;
use crate::suggestion;

/// The most characters of a wrong word that a message shows.
const MAX_SHOWN: usize = 40;

/// The commands as `/help` shows them.
pub(super) const COMMANDS: &str = "\
Commands, one per line, with quotes and # comments as in a shell:
  /join ORDER           join the room of an order
  /leave ORDER          leave it
  /emit EVENT [ITEM…]   send an event and show the answer; the payload
                        is k=v n:=1 … or @FILE or {\"a\": 1} or \"text\" or
                        a word
  /await EVENT [ITEM…] [TIME]
                        wait until it comes with this part of a payload
                        (k=v n:=1 … or @FILE), at most --timeout or TIME
  /await live [TIME]    wait until the sessions are live
  /wait TIME            show events, and read no line during this time
  /drop                 cut the connection, as a short loss of signal does
  /cut [TIME]           end the connection without a word, for this time
                        or until /back
  /offline [TIME]       disconnect, as an app does that is closed
  /back [TIME]          connect again, and wait until what was missed has
                        come, at most --timeout or TIME
  /as ROLE:USER         run the next lines only as this role and user; /as
                        all for all roles
  /help                 show this list
  /quit                 disconnect and exit, as at the end of the input
  @tailor:t1 /join …    run a command only as this role and user

On a terminal, lines are edited as in a shell: Tab completes commands,
roles, events, orders and @FILE, ↑ and Ctrl-R recall lines, also of earlier
runs. Events appear above the line. Ctrl-C cancels a line, or a command that
waits (/wait, /await, /cut, /offline, /back), and otherwise ends metaia.

If the commands do not come from a terminal, the first one that is wrong
(exit code 2), refused (5; 1 for another code than forbidden) or too late
(7) ends the program. It also fails if a gap was reported (6), or if a role
is not connected at the end (3).";

/// The names of the commands.
pub(super) const VERBS: [&str; 12] = [
    "/as", "/await", "/back", "/cut", "/drop", "/emit", "/help", "/join", "/leave", "/offline",
    "/quit", "/wait",
];

/// The commands whose last part may be a payload.
const WITH_PAYLOAD: [&str; 2] = ["/emit", "/await"];

/// A line of input: a command, and the role that it is for.
#[derive(Debug, PartialEq)]
pub(super) struct CommandLine {
    /// `ROLE:USER`; `None` means all connected roles.
    pub(super) actor: Option<String>,
    pub(super) command: Command,
}

#[derive(Debug, PartialEq)]
pub(super) enum Command {
    /// An empty line, or a comment.
    Nothing,
    Join(OrderRef),
    Leave(OrderRef),
    Emit(String, EmitPayload),
    Await(AwaitArgs),
    /// Cut the connection; the client comes back by itself.
    Drop,
    /// Go away, until `/back` or for this time.
    Leaving(Departure, Option<Duration>),
    Back(Option<Duration>),
    Wait(Duration),
    /// Choose the role of the next lines; `None` for all.
    As(Option<String>),
    Help,
    Quit,
}

/// The two ways to go away, with the names that they have in scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// Without a word, as a loss of reception.
    Cut,
    /// With a DISCONNECT, as an app that is closed.
    Offline,
}

/// The payload of `/emit`. A single word that is not a payload argument is itself the payload, as
/// in `/emit join_order_room ORDER`.
#[derive(Debug, PartialEq)]
pub(super) enum EmitPayload {
    Word(String),
    /// An object or a list, written as JSON.
    Json(Value),
    Args(Vec<PayloadArg>),
}

impl Command {
    /// Returns true if the command may wait so that Ctrl-C cancels it.
    pub(super) fn waits(&self) -> bool {
        matches!(
            self,
            Self::Await(_) | Self::Wait(_) | Self::Back(_) | Self::Leaving(_, Some(_))
        )
    }
}

impl FromStr for CommandLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let payload = payload_of_event(text);
        let mut words = split(&text[..payload.unwrap_or(text.len())])?;
        let actor = if text.starts_with('@') {
            Some(words.remove(0)[1..].to_owned())
        } else {
            None
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = match (payload, &words[..]) {
            (Some(at), ["/await", what]) => {
                let items = items(&text[at..])?;
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                Command::Await(AwaitArgs::parse(what, &items)?)
            }
            (Some(at), [_, event]) => {
                Command::Emit((*event).to_owned(), emit_payload(&text[at..])?)
            }
            (_, ["/as", ..]) if actor.is_some() => {
                return Err("/as is for the next lines: write it without @ROLE:USER".to_owned());
            }
            (_, []) if actor.is_some() => {
                return Err("no command follows: write @ROLE:USER /COMMAND".to_owned());
            }
            (_, words) => command(words)?,
        };
        Ok(Self { actor, command })
    }
}

/// Returns the place at which the payload of an `/emit` or `/await` begins. Returns `None` for
/// another command, and for an event without a payload.
pub(super) fn payload_of_event(text: &str) -> Option<usize> {
    let before = usize::from(text.starts_with('@'));
    let payload = beginning_of_word(text, before + 2)?;
    let words = split(&text[..payload]).ok()?;
    let verb = words.get(before)?.as_str();
    WITH_PAYLOAD.contains(&verb).then_some(payload)
}

fn command(words: &[&str]) -> Result<Command, String> {
    match words {
        [] => Ok(Command::Nothing),
        ["/join", order] => order.parse().map(Command::Join),
        ["/leave", order] => order.parse().map(Command::Leave),
        ["/emit"] => Err("/emit needs the name of an event: /help shows the usage".to_owned()),
        ["/emit", event, items @ ..] => {
            Ok(Command::Emit((*event).to_owned(), payload_of_items(items)?))
        }
        ["/await"] => {
            Err("/await needs live or the name of an event: /help shows the usage".into())
        }
        ["/await", what, items @ ..] => AwaitArgs::parse(what, items).map(Command::Await),
        ["/drop"] => Ok(Command::Drop),
        ["/cut", time @ ..] if time.len() < 2 => leaving(Departure::Cut, time),
        ["/offline", time @ ..] if time.len() < 2 => leaving(Departure::Offline, time),
        ["/back"] => Ok(Command::Back(None)),
        ["/back", time] => span::parse(time).map(|time| Command::Back(Some(time))),
        ["/wait", time] => span::parse(time).map(Command::Wait),
        ["/as", "all"] => Ok(Command::As(None)),
        ["/as", actor] => Ok(Command::As(Some(actor.trim_start_matches('@').to_owned()))),
        ["/help"] => Ok(Command::Help),
        ["/quit"] => Ok(Command::Quit),
        [verb, ..] if VERBS.contains(verb) => Err(format!(
            "wrong number of arguments for {verb}: /help shows the usage"
        )),
        [verb, ..] => Err(unknown(verb)),
    }
}

fn leaving(departure: Departure, time: &[&str]) -> Result<Command, String> {
    let time = time.first().map(|time| span::parse(time)).transpose()?;
    Ok(Command::Leaving(departure, time))
}

fn unknown(verb: &str) -> String {
    let is_short = verb.len() <= MAX_SHOWN;
    let meant = is_short.then(|| suggestion::nearest(verb, VERBS)).flatten();
    let advice = match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "/help lists the commands".to_owned(),
    };
    format!("unknown command {:?}: {advice}", beginning(verb))
}

/// Returns a word, or the beginning of a long one.
fn beginning(word: &str) -> String {
    let mut shown: String = word.chars().take(MAX_SHOWN).collect();
    if shown.len() < word.len() {
        shown.push('…');
    }
    shown
}

fn emit_payload(text: &str) -> Result<EmitPayload, String> {
    if text.starts_with(['{', '[']) {
        return json_payload(text).map(EmitPayload::Json).map_err(|error| {
            format!("the payload is not JSON: {error} (to send it as text, put it into '…')")
        });
    }
    let items = match leading_json::<String>(text) {
        Some((word, rest)) if is_end(rest) => vec![word],
        _ => items(text)?,
    };
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    payload_of_items(&items)
}

/// Returns the JSON that is the text, apart from a comment behind it.
fn json_payload(text: &str) -> Result<Value, serde_json::Error> {
    match leading_json(text) {
        Some((value, rest)) if is_end(rest) => Ok(value),
        // Also says what is wrong behind a value.
        _ => serde_json::from_str(text),
    }
}

fn payload_of_items(items: &[&str]) -> Result<EmitPayload, String> {
    match items {
        [word] if !word.contains('=') && !word.starts_with('@') => {
            Ok(EmitPayload::Word((*word).to_owned()))
        }
        items => {
            let args: Result<_, _> = items.iter().map(|item| item.parse()).collect();
            args.map(EmitPayload::Args)
        }
    }
}
