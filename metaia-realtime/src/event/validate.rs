//! Check that every client can read a payload.
//!
//! JSON may be nested without end, and may have numbers and texts that few parsers accept. A client
//! that fails at an event closes its connection, reconnects, and receives the same event again.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::EventError;

/// Levels of objects and arrays in a payload, at most. Parsers give up at about 128, with the frame
/// around the payload included.
const MAX_DEPTH: usize = 64;

/// Returns [`EventError::Unreadable`] if some client could not read the JSON.
pub(super) fn check_readable(json: &RawValue) -> Result<(), EventError> {
    let mut parser = serde_json::Deserializer::from_str(json.get());
    let read = AnyValue { levels: MAX_DEPTH }.deserialize(&mut parser);
    read.map_err(|_| EventError::Unreadable)
}

/// A value that is parsed and dropped. Parsing finds numbers beyond a 64-bit float and halves of
/// surrogate pairs. Each publish does this: it allocates nothing.
#[derive(Debug, Clone, Copy)]
struct AnyValue {
    /// The levels of objects and arrays that it may have.
    levels: usize,
}

impl AnyValue {
    /// Returns what may stand in an object or array of this value.
    fn inner<E: Error>(self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels }),
            None => Err(E::custom("nested too deep")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JSON of at most {} levels", self.levels)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let item = self.inner()?;
        while items.next_element_seed(item)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let member = self.inner()?;
        // Names are parsed like texts.
        while members.next_key_seed(member)?.is_some() {
            members.next_value_seed(member)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntoEvent as _;
    use proptest::prelude::*;

    #[track_caller]
    fn check(json: &str, expected: bool) {
        let data = RawValue::from_string(json.to_owned()).unwrap();
        let refused = ("x", data).into_event().err();
        let code = refused.as_ref().map(EventError::code);
        let expected_code = if expected {
            None
        } else {
            Some("payload_unreadable")
        };
        assert_eq!(code, expected_code, "{json}");
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn a_payload_that_clients_could_not_read_is_refused() {
        check(&nested(64), true);
        check(&nested(65), false);
        check(&nested(20_000), false);
        check(&format!(r#"{{"a":{}}}"#, nested(64)), false);
        check(
            r#"{"a":1e308,"b":-0,"c":123456789012345678901234567890}"#,
            true,
        );
        check(r#"{"a":1e999}"#, false);
        check(r#"{"a":"\ud83d\ude00 \u0000"}"#, true);
        check(r#"{"a":"\ud800"}"#, false);
        check(r#"{"\udc00":1}"#, false);
        check(r#"{"a":[{"b":"\udc00"}]}"#, false);
        check(r#"[null,true,-1,18446744073709551615,"",{}]"#, true);
    }

    /// Returns JSON, some of it with parts that parsers refuse.
    fn any_json() -> impl Strategy<Value = String> {
        let text = prop::sample::select(vec![
            r#""""#,
            r#""a\n""#,
            r#""\u0041""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
            r#""\udc00x""#,
        ]);
        let number = prop::sample::select(vec!["null", "true", "-0", "1e308", "1e999", "-1.5e-9"]);
        let leaf = prop_oneof![text.clone(), number].prop_map(str::to_owned);
        leaf.prop_recursive(6, 32, 4, move |inner| {
            let items = prop::collection::vec(inner.clone(), 0..4);
            let member = (text.clone(), inner).prop_map(|(name, value)| format!("{name}:{value}"));
            let members = prop::collection::vec(member, 0..4);
            prop_oneof![
                items.prop_map(|items| format!("[{}]", items.join(","))),
                members.prop_map(|members| format!("{{{}}}", members.join(","))),
            ]
        })
    }

    proptest! {
        /// The parser that builds values, as a client does, is the model.
        #[test]
        fn what_is_readable_can_be_parsed_into_values(json in any_json()) {
            let is_parsed = serde_json::from_str::<serde_json::Value>(&json).is_ok();
            let data = RawValue::from_string(json).unwrap();
            prop_assert_eq!(check_readable(&data).is_ok(), is_parsed);
        }
    }
}
