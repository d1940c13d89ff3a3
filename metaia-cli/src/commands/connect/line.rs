//! The lines that drive `metaia connect`.

use std::str::FromStr;
use std::time::Duration;

use crate::payload_args::Item;
use crate::span;

/// One line: what to do, and as whom (`None`: as everybody).
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) who: Option<String>,
    pub(super) order: Order,
}

#[derive(Debug, PartialEq)]
pub(super) enum Order {
    Nothing,
    Join(String),
    Leave(String),
    Emit(String, Payload),
    Drop,
    Wait(Duration),
    Help,
    Quit,
}

/// One word that is no item is the payload itself: what the guide's room events take.
#[derive(Debug, PartialEq)]
pub(super) enum Payload {
    Word(String),
    Items(Vec<Item>),
}

impl FromStr for Line {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace().peekable();
        let who = words
            .next_if(|word| word.starts_with('@'))
            .map(|word| word[1..].to_owned());
        let Some(verb) = words.next() else {
            return Ok(Self {
                who,
                order: Order::Nothing,
            });
        };
        let rest: Vec<&str> = words.collect();
        Ok(Self {
            who,
            order: order(verb, &rest)?,
        })
    }
}

fn order(verb: &str, rest: &[&str]) -> Result<Order, String> {
    match (verb, rest) {
        ("/join", [id]) => Ok(Order::Join((*id).to_owned())),
        ("/leave", [id]) => Ok(Order::Leave((*id).to_owned())),
        ("/emit", [event, words @ ..]) => Ok(Order::Emit((*event).to_owned(), payload(words)?)),
        ("/drop", []) => Ok(Order::Drop),
        ("/wait", [time]) => span::parse(time).map(Order::Wait),
        ("/help", []) => Ok(Order::Help),
        ("/quit", []) => Ok(Order::Quit),
        ("/join" | "/leave" | "/emit" | "/drop" | "/wait" | "/help" | "/quit", _) => {
            Err(format!("{verb} is used in another way: /help shows how"))
        }
        _ => Err(format!("{verb:?} is not known: /help shows what is")),
    }
}

fn payload(words: &[&str]) -> Result<Payload, String> {
    match words {
        [word] if !word.contains('=') && !word.starts_with('@') => {
            Ok(Payload::Word((*word).to_owned()))
        }
        words => words
            .iter()
            .map(|word| word.parse())
            .collect::<Result<_, _>>()
            .map(Payload::Items),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, who: Option<&str>, order: Order) {
        assert_eq!(
            text.parse(),
            Ok(Line {
                who: who.map(str::to_owned),
                order
            })
        );
    }

    #[test]
    fn lines_say_what_to_do_and_as_whom() {
        check("", None, Order::Nothing);
        check("/join o1", None, Order::Join("o1".into()));
        check(
            "@tailor:t1  /leave o1 ",
            Some("tailor:t1"),
            Order::Leave("o1".into()),
        );
        check("/drop", None, Order::Drop);
        check("/wait 2s", None, Order::Wait(Duration::from_secs(2)));
        check("/quit", None, Order::Quit);
    }

    #[test]
    fn a_payload_is_a_word_or_items() {
        check(
            "/emit join_order_room o1",
            None,
            Order::Emit("join_order_room".into(), Payload::Word("o1".into())),
        );
        let items = vec![Item::Member("n".into(), json!(1))];
        check(
            "/emit ping n:=1",
            None,
            Order::Emit("ping".into(), Payload::Items(items)),
        );
        check(
            "/emit ping",
            None,
            Order::Emit("ping".into(), Payload::Items(Vec::new())),
        );
    }

    #[test]
    fn what_is_no_line_is_answered() {
        for text in [
            "hello",
            "/join",
            "/join a b",
            "/emit",
            "/emit x a b",
            "/wait soon",
            "/fly",
        ] {
            assert!(text.parse::<Line>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), line in "@?[a-zé:]{0,4} ?/(join|emit|wait) [@a-z=:0-9 ]{0,12}") {
            let _ = text.parse::<Line>();
            let _ = line.parse::<Line>();
        }
    }
}
