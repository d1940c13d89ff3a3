//! The commands that `metaia connect` reads from standard input, one per line.

use std::str::FromStr;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use super::words::{first_word, rest_of_line, words};
use crate::order_ref::OrderRef;
use crate::payload_args::PayloadArg;
use crate::span;

/// The most characters of a wrong word that a message shows.
const MAX_SHOWN: usize = 40;

/// The commands as `/help` shows them.
pub(super) const COMMANDS: &str = "\
Commands, one per line, with quotes and # comments as in a shell:
  /join ORDER           join the room of an order
  /leave ORDER          leave it
  /emit EVENT [ITEM…]   send an event and show the answer; the payload
                        is k=v n:=1 … or @FILE or {\"a\": 1} or a word
  /drop                 cut the connection, as a loss of signal does
  /wait TIME            show events, and read no line during this time
  /help                 show this list
  /quit                 disconnect and exit, as at the end of the input
  @tailor:t1 /join …    run a command only as this role and user

If the commands do not come from a terminal, the first one that is wrong
(exit code 2) or refused (5; 1 for another code than forbidden) ends the
program. It also fails if a gap was reported (6), or if a role is not
connected at the end (3).";

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
    /// An object or a list, written as JSON.
    Json(Value),
    Args(Vec<PayloadArg>),
}

impl FromStr for CommandLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = rest_of_line(text).trim_end();
        if text.is_empty() {
            return Ok(Self {
                actor: None,
                command: Command::Nothing,
            });
        }
        let (actor, text) = match text.strip_prefix('@') {
            Some(text) => {
                let (actor, rest) = first_word(text)?;
                (Some(actor), rest_of_line(rest))
            }
            None => (None, text),
        };
        if text.is_empty() {
            return Err("no command follows: write @ROLE:USER /COMMAND".to_owned());
        }
        let (verb, args) = first_word(text)?;
        let command = command(&verb, rest_of_line(args))?;
        Ok(Self { actor, command })
    }
}

fn command(verb: &str, args: &str) -> Result<Command, String> {
    if verb == "/emit" {
        return emit(args);
    }
    let words = words(args)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (verb, &words[..]) {
        ("/join", [order]) => order.parse().map(Command::Join),
        ("/leave", [order]) => order.parse().map(Command::Leave),
        ("/drop", []) => Ok(Command::Drop),
        ("/wait", [time]) => span::parse(time).map(Command::Wait),
        ("/help", []) => Ok(Command::Help),
        ("/quit", []) => Ok(Command::Quit),
        ("/join" | "/leave" | "/drop" | "/wait" | "/help" | "/quit", _) => Err(format!(
            "wrong number of arguments for {verb}: /help shows the usage"
        )),
        _ => Err(format!(
            "unknown command {:?}: /help lists the commands",
            beginning(verb)
        )),
    }
}

/// Returns a word, or the beginning of a long one.
fn beginning(word: &str) -> String {
    let mut shown: String = word.chars().take(MAX_SHOWN).collect();
    if shown.len() < word.len() {
        shown.push('…');
    }
    shown
}

fn emit(args: &str) -> Result<Command, String> {
    if args.is_empty() {
        return Err("/emit needs the name of an event: /help shows the usage".to_owned());
    }
    let (event, payload) = first_word(args)?;
    let payload = emit_payload(rest_of_line(payload))?;
    Ok(Command::Emit(event, payload))
}

fn emit_payload(text: &str) -> Result<EmitPayload, String> {
    if text.starts_with(['{', '[']) {
        return json_payload(text).map(EmitPayload::Json).map_err(|error| {
            format!("the payload is not JSON: {error} (to send it as text, put it into '…')")
        });
    }
    let items = items(text)?;
    match &items[..] {
        [word] if !word.contains('=') && !word.starts_with('@') => {
            Ok(EmitPayload::Word(word.clone()))
        }
        items => {
            let args: Result<_, _> = items.iter().map(|item| item.parse()).collect();
            args.map(EmitPayload::Args)
        }
    }
}

/// Returns the JSON that is the text, apart from a comment behind it.
fn json_payload(text: &str) -> Result<Value, serde_json::Error> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    if let Some(Ok(value)) = values.next() {
        let after = &text[values.byte_offset()..];
        if after.starts_with(char::is_whitespace) && rest_of_line(after).is_empty() {
            return Ok(value);
        }
    }
    // Also says what is wrong behind a value.
    serde_json::from_str(text)
}

/// Returns the items of a payload. JSON after `:=` needs no quotes and may contain spaces.
fn items(text: &str) -> Result<Vec<String>, String> {
    let mut items = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (item, after) = match json_item(rest) {
            Some(found) => found,
            None => first_word(rest)?,
        };
        items.push(item);
        rest = rest_of_line(after);
    }
    Ok(items)
}

/// Returns the item `NAME:=JSON` with which the text begins, and the text after it. Returns `None`
/// if the text begins otherwise.
fn json_item(text: &str) -> Option<(String, &str)> {
    let equals = text.find(|c: char| c == '=' || c.is_whitespace() || "'\"\\".contains(c))?;
    text[..equals].strip_suffix(':')?;
    let value = text[equals..].strip_prefix('=')?;
    if value.starts_with(char::is_whitespace) {
        return None;
    }
    let mut values = Deserializer::from_str(value).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (item, rest) = text.split_at(equals + 1 + values.byte_offset());
    if rest.is_empty() || rest.starts_with(char::is_whitespace) {
        Some((item.to_owned(), rest))
    } else {
        None
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
        assert_eq!(text.parse(), Ok(CommandLine { actor, command }), "{text}");
    }

    #[track_caller]
    fn check_payload(text: &str, payload: EmitPayload) {
        check(
            &format!("/emit x {text}"),
            None,
            Command::Emit("x".into(), payload),
        );
    }

    fn member(name: &str, value: Value) -> PayloadArg {
        PayloadArg::Member(name.into(), value)
    }

    #[test]
    fn a_line_has_a_command_and_perhaps_an_actor() {
        check("", None, Command::Nothing);
        check("  # /join o1", None, Command::Nothing);
        check("/join o1", None, Command::Join("o1".parse().unwrap()));
        check("/join order-o1", None, Command::Join("o1".parse().unwrap()));
        check(
            "@tailor:t1  /leave o1 ",
            Some("tailor:t1"),
            Command::Leave("o1".parse().unwrap()),
        );
        check("/drop", None, Command::Drop);
        check("/wait 2s", None, Command::Wait(Duration::from_secs(2)));
        check("/quit", None, Command::Quit);
    }

    #[test]
    fn a_comment_may_follow_a_command() {
        let join = || Command::Join("o1".parse().unwrap());
        check("/join o1 # u1's order", None, join());
        check("@tailor:t1 /join o1\t#", Some("tailor:t1"), join());
        check(
            "/wait 10ms # c",
            None,
            Command::Wait(Duration::from_millis(10)),
        );
        check("/drop # c", None, Command::Drop);
        check("/help #", None, Command::Help);
        check_payload(
            r##"{"a": "# b"} # it's c"##,
            EmitPayload::Json(json!({"a": "# b"})),
        );
        check_payload(
            "a=1 # b=2",
            EmitPayload::Args(vec![member("a", json!("1"))]),
        );
        check_payload("n:=1 # b", EmitPayload::Args(vec![member("n", json!(1))]));
        check_payload("# c", EmitPayload::Args(Vec::new()));
        check_payload("'# c'", EmitPayload::Word("# c".into()));
        check_payload("a#b", EmitPayload::Word("a#b".into()));
    }

    #[test]
    fn a_payload_is_a_word_or_arguments() {
        let word = EmitPayload::Word("o1".into());
        check(
            "/emit join_order_room o1",
            None,
            Command::Emit("join_order_room".into(), word),
        );
        check_payload("42", EmitPayload::Word("42".into()));
        check_payload("n:=1", EmitPayload::Args(vec![member("n", json!(1))]));
        check_payload("", EmitPayload::Args(Vec::new()));
    }

    #[test]
    fn a_payload_may_be_json() {
        let object = json!({"a": 1, "b": {"c": "d e's"}});
        check_payload(r#"{"a":1, "b": {"c": "d e's"}}"#, EmitPayload::Json(object));
        check_payload("[1, 2]", EmitPayload::Json(json!([1, 2])));
        check_payload(r#"'{"a":1}'"#, EmitPayload::Word(r#"{"a":1}"#.into()));
        let items = vec![member("n", json!({"a": "b c"})), member("s", json!("x"))];
        check_payload(
            r#"n:={"a": "b c"} s:="x""#,
            EmitPayload::Args(items.clone()),
        );
        check_payload(r#"n:='{"a": "b c"}' s:=\"x\""#, EmitPayload::Args(items));
    }

    #[test]
    fn a_member_may_be_quoted() {
        let items = vec![member("a", json!("b c")), member("d e", json!(""))];
        check_payload(r#"a="b c" 'd e='"#, EmitPayload::Args(items));
    }

    #[test]
    fn a_long_unknown_command_is_not_shown_in_full() {
        let long = "é".repeat(1_000_000);
        let error = long.parse::<CommandLine>().unwrap_err();
        assert!(error.len() < 200, "{}", error.len());
        let error = "/fly".parse::<CommandLine>().unwrap_err();
        assert!(error.starts_with("unknown command \"/fly\":"), "{error}");
    }

    #[test]
    fn an_invalid_line_is_refused() {
        for text in [
            "hello",
            "/join",
            "/join a b",
            "/join a.b",
            "/join ''",
            "/emit",
            "/emit x a b",
            "/emit x a='b",
            r#"/emit x {"a":}"#,
            r#"/emit x {"a":1} b=2"#,
            "/emit x n:= 1",
            "/wait soon",
            "/fly",
            "@tailor:t1",
            "@tailor:t1 join o1",
            "/join # o1",
            "/emit # x",
            "@tailor:t1 # /join o1",
            r##"/emit x {"a":1}# c"##,
        ] {
            assert!(text.parse::<CommandLine>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in any::<String>(),
            line in "@?[a-zé:]{0,4} ?/(join|emit|wait) [@a-z=:0-9 ]{0,12}",
            payload in r#"[{}\[\]a:=é'" \\1]{0,16}"#,
        ) {
            let _ = text.parse::<CommandLine>();
            let _ = line.parse::<CommandLine>();
            let _ = format!("/emit x {payload}").parse::<CommandLine>();
        }
    }
}
