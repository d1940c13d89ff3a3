//! Payloads on the command line: `k=v` adds a string, `n:=1` adds JSON, `@file.json` is the whole
//! payload.

use std::path::Path;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::bounded_file::{ByteLimit, text_of_file_or_pipe};
use crate::exit::Failure;

/// One argument of a payload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PayloadArg {
    Member(String, Value),
    File(String),
}

impl FromStr for PayloadArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix('@') {
            return Ok(Self::File(path.to_owned()));
        }
        let (key, value) = text
            .split_once('=')
            .ok_or("write k=v for a string, n:=1 for JSON, or @file.json")?;
        let (name, value) = match key.strip_suffix(':') {
            Some(name) => (name, parse_json(value)?),
            None => (key, Value::from(value)),
        };
        if name.is_empty() {
            return Err("a member needs a name before the =".to_owned());
        }
        Ok(Self::Member(name.to_owned(), value))
    }
}

fn parse_json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{text:?} is not JSON: {error}"))
}

/// Builds the payload from its arguments, in order: a file replaces it, a member is added to it.
pub(crate) fn payload(args: &[PayloadArg]) -> Result<Value, Failure> {
    let mut payload = Value::Object(Map::new());
    for arg in args {
        match (arg, &mut payload) {
            (PayloadArg::File(path), payload) => *payload = read_payload(path)?,
            (PayloadArg::Member(name, value), Value::Object(members)) => {
                members.insert(name.clone(), value.clone());
            }
            (PayloadArg::Member(name, _), _) => {
                return Err(Failure::usage(format!(
                    "{name} cannot be added: the file is not a JSON object"
                )));
            }
        }
    }
    Ok(payload)
}

/// Returns a body with the members of the arguments in place of its own. What is no object replaces
/// it.
pub(crate) fn extended(body: Value, args: &[PayloadArg]) -> Result<Value, Failure> {
    if args.is_empty() {
        return Ok(body);
    }
    Ok(match (body, payload(args)?) {
        (Value::Object(mut body), Value::Object(given)) => {
            body.extend(given);
            Value::Object(body)
        }
        (_, given) => given,
    })
}

fn read_payload(path: &str) -> Result<Value, Failure> {
    let failed = || Failure::usage(format!("{path} cannot be used as a payload"));
    let text = text_of_file_or_pipe(Path::new(path), ByteLimit::LARGE)
        .map_err(|fault| failed().caused_by(fault))?;
    serde_json::from_str(&text).map_err(|error| failed().caused_by(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parsed(words: &[&str]) -> Value {
        let args: Vec<PayloadArg> = words.iter().map(|word| word.parse().unwrap()).collect();
        payload(&args).unwrap()
    }

    #[test]
    fn arguments_become_an_object() {
        assert_eq!(parsed(&[]), json!({}));
        let words = [
            "sku=thread",
            "left:=3",
            "tags:=[\"red\"]",
            "note=a=b",
            "empty=",
            "ok:=true",
        ];
        let expected = json!({
            "sku": "thread",
            "left": 3,
            "tags": ["red"],
            "note": "a=b",
            "empty": "",
            "ok": true,
        });
        assert_eq!(parsed(&words), expected);
    }

    #[test]
    fn the_last_value_of_a_member_wins() {
        assert_eq!(parsed(&["a=1", "a:=2"]), json!({"a": 2}));
    }

    #[test]
    fn a_body_keeps_the_members_that_no_argument_names() {
        let args: Vec<PayloadArg> = vec!["a:=2".parse().unwrap(), "c=x".parse().unwrap()];
        let body = extended(json!({"a": 1, "b": [1]}), &args).unwrap();
        assert_eq!(body, json!({"a": 2, "b": [1], "c": "x"}));
        assert_eq!(extended(json!([1]), &[]).unwrap(), json!([1]));
    }

    #[test]
    fn an_invalid_argument_is_refused() {
        for text in ["", "word", "=v", ":=1", "n:={"] {
            assert!(text.parse::<PayloadArg>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = payload(&[PayloadArg::File("no-such.json".to_owned())]).unwrap_err();
        assert!(
            failure
                .chain()
                .starts_with("no-such.json cannot be used as a payload: "),
            "{}",
            failure.chain()
        );
    }

    #[test]
    fn a_payload_without_an_end_is_refused() {
        let failure = payload(&[PayloadArg::File("/dev/zero".to_owned())]).unwrap_err();
        let expected = "/dev/zero cannot be used as a payload: it is larger than 8 MiB";
        assert_eq!(failure.chain(), expected);
    }

    proptest! {
        #[test]
        fn a_string_member_keeps_every_character(key in "[a-z]{1,8}", value in any::<String>()) {
            prop_assert_eq!(parsed(&[&format!("{key}={value}")]), json!({key: value}));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<PayloadArg>();
        }
    }
}
