//! The payload of a logged event, and the one member that this system adds to it.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use serde_json::value::RawValue;

use super::EventError;
use crate::{Position, values::EventId};

/// The payload of a logged event: a JSON object without a member `_rt`.
#[derive(Debug, Clone)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// Returns the JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Returns the empty object, `{}`.
    pub(crate) fn empty() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default())
    }

    /// Returns the payload with this JSON text, for a store that reads it back.
    ///
    /// # Errors
    /// Returns [`EventError::Serialize`] if the text is not JSON, [`EventError::NotAnObject`] if it
    /// is not an object, and [`EventError::ReservedMember`] if it has a member `_rt`.
    pub fn from_json(text: String) -> Result<Self, EventError> {
        let json = RawValue::from_string(text).map_err(EventError::Serialize)?;
        json.try_into()
    }
}

impl TryFrom<Box<RawValue>> for Payload {
    type Error = EventError;
    fn try_from(json: Box<RawValue>) -> Result<Self, EventError> {
        if !json.get().starts_with('{') {
            return Err(EventError::NotAnObject);
        }
        if has_member_rt(json.get())? {
            return Err(EventError::ReservedMember);
        }
        Ok(Self(json))
    }
}

fn has_member_rt(json: &str) -> Result<bool, EventError> {
    // Every publish runs this: parse only if the text can contain the name at all, plain or
    // escaped.
    if !json.contains("_rt\"") && !json.contains("\\u") {
        return Ok(false);
    }
    let members: BTreeMap<Cow<'_, str>, &RawValue> =
        serde_json::from_str(json).map_err(EventError::Serialize)?;
    Ok(members.contains_key("_rt"))
}

/// The most bytes that a stamp adds to a payload.
const STAMP_BYTES: usize = 144;

/// Appends the payload as clients receive it to `text`: with `_rt: {id, at, ts}` as its last
/// member.
pub(crate) fn stamp(text: &mut String, payload: &Payload, id: EventId, at: Position, ts: i64) {
    let body = payload.as_str().trim_end();
    let body = body.strip_suffix('}').unwrap_or(body).trim_end();
    let comma = if body == "{" { "" } else { "," };
    text.reserve(body.len() + STAMP_BYTES);
    text.push_str(body);
    // A text takes whatever is written to it.
    write!(
        text,
        r#"{comma}"_rt":{{"id":"{id}","at":"{at}","ts":{ts}}}}}"#
    )
    .ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Epoch;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn payload(text: &str) -> Result<Payload, EventError> {
        Payload::from_json(text.to_owned())
    }

    #[track_caller]
    fn check_refused(text: &str, code: &str) {
        assert_eq!(payload(text).unwrap_err().code(), code, "{text}");
    }

    #[test]
    fn only_objects_without_rt_are_payloads() {
        check_refused("[]", "payload_not_object");
        check_refused("\"x\"", "payload_not_object");
        check_refused(r#"{"_rt":1}"#, "payload_reserved_member");
        check_refused(r#"{"\u005frt":1}"#, "payload_reserved_member");
        check_refused("{", "payload_not_json");
        assert!(payload(r#"{"a":{"_rt":1},"b":"_rt"}"#).is_ok());
    }

    proptest! {
        #[test]
        fn a_stamped_payload_is_the_payload_and_rt(
            members in proptest::collection::btree_map(
                "[a-z\"\\\\}{]{0,5}",
                any::<Option<String>>(),
                0..4,
            ),
        ) {
            let text = serde_json::to_string(&members).unwrap();
            let id = EventId::random();
            let at = Position::new(Epoch::random(), 7, id);
            let mut stamped = String::new();
            stamp(&mut stamped, &payload(&text).unwrap(), id, at, 5);
            prop_assert!(stamped.len() <= text.len() + STAMP_BYTES);
            let stamped: Value = serde_json::from_str(&stamped).unwrap();
            let mut expected = serde_json::to_value(&members).unwrap();
            expected["_rt"] = json!({ "id": id.to_string(), "at": at.to_string(), "ts": 5 });
            prop_assert_eq!(stamped, expected);
        }
    }
}
