//! A payload from words: `k=v` is a string, `n:=1` is JSON, `@file.json` is the whole payload.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::exit::Failure;

/// One word of a payload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Member(String, Value),
    File(String),
}

impl FromStr for Item {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix('@') {
            return Ok(Self::File(path.to_owned()));
        }
        let (key, value) = text
            .split_once('=')
            .ok_or("write k=v for a string, n:=1 for JSON, or @file.json")?;
        let (key, value) = match key.strip_suffix(':') {
            Some(key) => (
                key,
                serde_json::from_str(value)
                    .map_err(|error| format!("{value:?} is not JSON: {error}"))?,
            ),
            None => (key, Value::from(value)),
        };
        if key.is_empty() {
            Err("a member needs a name".to_owned())
        } else {
            Ok(Self::Member(key.to_owned(), value))
        }
    }
}

/// The payload that the words make, in order: a file first, members added to it.
pub(crate) fn payload(items: &[Item]) -> Result<Value, Failure> {
    let mut payload = Value::Object(Map::new());
    for item in items {
        match (item, &mut payload) {
            (Item::File(path), payload) => *payload = read(path)?,
            (Item::Member(key, value), Value::Object(members)) => {
                members.insert(key.clone(), value.clone());
            }
            (Item::Member(key, _), _) => {
                return Err(Failure::usage(format!(
                    "{key} cannot be added: the file is not a JSON object"
                )));
            }
        }
    }
    Ok(payload)
}

fn read(path: &str) -> Result<Value, Failure> {
    let failed = || Failure::usage(format!("{path} cannot be used as a payload"));
    let text = std::fs::read_to_string(path).map_err(|error| failed().caused_by(error))?;
    serde_json::from_str(&text).map_err(|error| failed().caused_by(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(words: &[&str]) -> Value {
        let items: Vec<Item> = words.iter().map(|word| word.parse().unwrap()).collect();
        payload(&items).unwrap()
    }

    #[test]
    fn words_become_an_object() {
        assert_eq!(of(&[]), json!({}));
        let words = [
            "sku=thread",
            "left:=3",
            "tags:=[\"red\"]",
            "note=a=b",
            "empty=",
            "ok:=true",
        ];
        let expected = json!({"sku": "thread", "left": 3, "tags": ["red"], "note": "a=b", "empty": "", "ok": true});
        assert_eq!(of(&words), expected);
    }

    #[test]
    fn the_last_word_about_a_member_counts() {
        assert_eq!(of(&["a=1", "a:=2"]), json!({"a": 2}));
    }

    #[test]
    fn what_is_no_item_is_refused() {
        for text in ["", "word", "=v", ":=1", "n:={"] {
            assert!(text.parse::<Item>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let failure = payload(&[Item::File("no-such.json".to_owned())]).unwrap_err();
        assert!(
            failure
                .chain()
                .starts_with("no-such.json cannot be used as a payload: "),
            "{}",
            failure.chain()
        );
    }

    proptest! {
        #[test]
        fn a_string_member_keeps_every_character(key in "[a-z]{1,8}", value in any::<String>()) {
            prop_assert_eq!(of(&[&format!("{key}={value}")]), json!({key: value}));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<Item>();
        }
    }
}
