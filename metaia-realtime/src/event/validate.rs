//! What every client can read. JSON may be nested without end, and have numbers and texts that few
//! parsers take: a client that fails at an event closes its connection, comes back, and is handed
//! the same event again.

use serde_json::{Value, value::RawValue};

use super::EventError;

/// How deep objects and arrays may be nested. Parsers give up at about 128, the frame around the
/// payload included.
const DEEPEST: usize = 64;

/// Hands back what clients can read.
pub(super) fn readable(json: Box<RawValue>) -> Result<Box<RawValue>, EventError> {
    let value: Value = serde_json::from_str(json.get()).map_err(|_| EventError::Unreadable)?;
    if is_within(&value, DEEPEST) {
        Ok(json)
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
        assert_eq!(
            refused.as_ref().map(EventError::code),
            (!expected).then_some("payload_unreadable"),
            "{json}"
        );
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn what_clients_would_fail_at_is_no_event() {
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
