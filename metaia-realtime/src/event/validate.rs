//! Check that every client can read a payload.
//!
//! JSON may be nested without end, and may have numbers and texts that few parsers accept. A client
//! that fails at an event closes its connection, reconnects, and receives the same event again.

use serde_json::{Value, value::RawValue};

use super::EventError;

/// Levels of objects and arrays in a payload, at most. Parsers give up at about 128, with the frame
/// around the payload included.
const MAX_DEPTH: usize = 64;

/// Returns [`EventError::Unreadable`] if some client could not read the JSON.
pub(super) fn check_readable(json: &RawValue) -> Result<(), EventError> {
    // Parsing finds numbers beyond a 64-bit float and halves of surrogate pairs.
    let value: Value = serde_json::from_str(json.get()).map_err(|_| EventError::Unreadable)?;
    if is_within(&value, MAX_DEPTH) {
        Ok(())
    } else {
        Err(EventError::Unreadable)
    }
}

fn is_within(value: &Value, levels: usize) -> bool {
    let deeper = |value| is_within(value, levels - 1);
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(deeper),
        Value::Object(members) => levels > 0 && members.values().all(deeper),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntoEvent as _;

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
    }
}
