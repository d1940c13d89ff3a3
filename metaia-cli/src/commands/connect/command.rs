//! The commands that `metaia connect` reads from standard input, one per line.

use std::str::FromStr;
use std::time::Duration;

use crate::payload_args::PayloadArg;
use crate::span;

/// A line of input: a command, and the role that it is for.
#[derive(Debug, PartialEq)]
pub(super) struct CommandLine {
    /// `ROLE:USER`; `None` means all connected roles.
    pub(super) actor: Option<String>,
    pub(super) command: Command,
}

#[derive(Debug, PartialEq)]
pub(super) enum Command {
    /// An empty line.
    Nothing,
    Join(String),
    Leave(String),
    Emit(String, EmitPayload),
    /// Cut the connection.
    Drop,
    Wait(Duration),
    Help,
    Quit,
}

/// The payload of `/emit`. A single word that is not a payload argument is itself the payload, as
/// in `/emit join_order_room ORDER`.
#[derive(Debug, PartialEq)]
pub(super) enum EmitPayload {
    Word(String),
    Args(Vec<PayloadArg>),
}

impl FromStr for CommandLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace().peekable();
        let actor = words
            .next_if(|word| word.starts_with('@'))
            .map(|word| word[1..].to_owned());
        let Some(verb) = words.next() else {
            return Ok(Self {
                actor,
                command: Command::Nothing,
            });
        };
        let args: Vec<&str> = words.collect();
        let command = command(verb, &args)?;
        Ok(Self { actor, command })
    }
}

fn command(verb: &str, args: &[&str]) -> Result<Command, String> {
    match (verb, args) {
        ("/join", [id]) => Ok(Command::Join((*id).to_owned())),
        ("/leave", [id]) => Ok(Command::Leave((*id).to_owned())),
        ("/emit", [event, words @ ..]) => {
            Ok(Command::Emit((*event).to_owned(), emit_payload(words)?))
        }
        ("/drop", []) => Ok(Command::Drop),
        ("/wait", [time]) => span::parse(time).map(Command::Wait),
        ("/help", []) => Ok(Command::Help),
        ("/quit", []) => Ok(Command::Quit),
        ("/join" | "/leave" | "/emit" | "/drop" | "/wait" | "/help" | "/quit", _) => Err(format!(
            "wrong number of arguments for {verb}: /help shows the usage"
        )),
        _ => Err(format!(
            "unknown command {verb:?}: /help lists the commands"
        )),
    }
}

fn emit_payload(words: &[&str]) -> Result<EmitPayload, String> {
    match words {
        [word] if !word.contains('=') && !word.starts_with('@') => {
            Ok(EmitPayload::Word((*word).to_owned()))
        }
        words => {
            let args: Result<_, _> = words.iter().map(|word| word.parse()).collect();
            args.map(EmitPayload::Args)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, actor: Option<&str>, command: Command) {
        let actor = actor.map(str::to_owned);
        assert_eq!(text.parse(), Ok(CommandLine { actor, command }));
    }

    #[test]
    fn a_line_has_a_command_and_perhaps_an_actor() {
        check("", None, Command::Nothing);
        check("/join o1", None, Command::Join("o1".into()));
        check(
            "@tailor:t1  /leave o1 ",
            Some("tailor:t1"),
            Command::Leave("o1".into()),
        );
        check("/drop", None, Command::Drop);
        check("/wait 2s", None, Command::Wait(Duration::from_secs(2)));
        check("/quit", None, Command::Quit);
    }

    #[test]
    fn a_payload_is_a_word_or_arguments() {
        let word = EmitPayload::Word("o1".into());
        check(
            "/emit join_order_room o1",
            None,
            Command::Emit("join_order_room".into(), word),
        );
        let args = EmitPayload::Args(vec![PayloadArg::Member("n".into(), json!(1))]);
        check("/emit ping n:=1", None, Command::Emit("ping".into(), args));
        let empty = EmitPayload::Args(Vec::new());
        check("/emit ping", None, Command::Emit("ping".into(), empty));
    }

    #[test]
    fn an_invalid_line_is_refused() {
        for text in [
            "hello",
            "/join",
            "/join a b",
            "/emit",
            "/emit x a b",
            "/wait soon",
            "/fly",
        ] {
            assert!(text.parse::<CommandLine>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in any::<String>(),
            line in "@?[a-zé:]{0,4} ?/(join|emit|wait) [@a-z=:0-9 ]{0,12}",
        ) {
            let _ = text.parse::<CommandLine>();
            let _ = line.parse::<CommandLine>();
        }
    }
}
