//! The payload of a logged event, and the one member this system adds to it.

use serde_json::value::RawValue;

use super::EventError;
use crate::{EventId, Position};

/// The payload of a logged event: a JSON object without a member `_rt`.
#[derive(Debug, Clone)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The empty object.
    pub(crate) fn empty() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default())
    }

    /// Takes JSON text, as a store keeps it.
    ///
    /// # Errors
    /// [`EventError::Serialize`] where the text is not JSON, and those of `TryFrom`.
    pub fn from_json(text: String) -> Result<Self, EventError> {
        RawValue::from_string(text)
            .map_err(EventError::Serialize)?
            .try_into()
    }
}

impl TryFrom<Box<RawValue>> for Payload {
    type Error = EventError;
    fn try_from(json: Box<RawValue>) -> Result<Self, EventError> {
        if !json.get().starts_with('{') {
            return Err(EventError::NotAnObject);
        }
        if has_member_rt(json.get())? {
            Err(EventError::ReservedMember)
        } else {
            Ok(Self(json))
        }
    }
}

/// Parses only where the text can contain the name at all, since this stands on the path of every
/// emit.
fn has_member_rt(json: &str) -> Result<bool, EventError> {
    if !json.contains("_rt\"") && !json.contains("\\u") {
        return Ok(false);
    }
    let members: std::collections::BTreeMap<std::borrow::Cow<'_, str>, &RawValue> =
        serde_json::from_str(json).map_err(EventError::Serialize)?;
    Ok(members.contains_key("_rt"))
}

/// The payload as clients get it: with `_rt: {id, at, ts}` as its last member.
pub(crate) fn stamp(payload: &Payload, id: EventId, at: Position, ts: i64) -> Box<RawValue> {
    let body = payload.as_str().trim_end();
    let body = body.strip_suffix('}').unwrap_or(body).trim_end();
    let comma = if body == "{" { "" } else { "," };
    let stamped = format!(r#"{body}{comma}"_rt":{{"id":"{id}","at":"{at}","ts":{ts}}}}}"#);
    RawValue::from_string(stamped).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Epoch;
    use proptest::prelude::*;

    fn payload(text: &str) -> Result<Payload, EventError> {
        Payload::from_json(text.to_owned())
    }

    #[track_caller]
    fn refused(text: &str, code: &str) {
        assert_eq!(payload(text).unwrap_err().code(), code, "{text}");
    }

    #[test]
    fn only_objects_without_rt_are_payloads() {
        refused("[]", "payload_not_object");
        refused("\"x\"", "payload_not_object");
        refused(r#"{"_rt":1}"#, "payload_reserved_member");
        refused(r#"{"\u005frt":1}"#, "payload_reserved_member");
        refused("{", "payload_not_json");
        assert!(payload(r#"{"a":{"_rt":1},"b":"_rt"}"#).is_ok());
    }

    proptest! {
        #[test]
        fn a_stamped_payload_is_the_payload_and_rt(members in proptest::collection::btree_map("[a-z\"\\\\}{]{0,5}", any::<Option<String>>(), 0..4)) {
            let text = serde_json::to_string(&members).unwrap();
            let id = EventId::random();
            let at = Position::of(Epoch::random(), 7, id);
            let stamped: serde_json::Value = serde_json::from_str(stamp(&payload(&text).unwrap(), id, at, 5).get()).unwrap();
            let mut expected = serde_json::to_value(&members).unwrap();
            expected["_rt"] = serde_json::json!({ "id": id.to_string(), "at": at.to_string(), "ts": 5 });
            prop_assert_eq!(stamped, expected);
        }
    }
}
