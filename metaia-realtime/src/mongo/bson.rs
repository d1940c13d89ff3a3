//! Conversions between the types of this crate and BSON values.

use mongodb::bson::{Binary, Bson, Uuid as BsonUuid, spec::BinarySubtype};
use uuid::Uuid;

use crate::values::EventId;

/// Returns the BSON form of a UUID.
pub(super) fn from_uuid(uuid: Uuid) -> Bson {
    BsonUuid::from_bytes(uuid.into_bytes()).into()
}

/// Reads a UUID; `None` if the value is not one.
pub(super) fn to_uuid(value: &Bson) -> Option<Uuid> {
    let Bson::Binary(binary) = value else {
        return None;
    };
    Uuid::from_slice(&binary.bytes).ok()
}

/// Returns the BSON form of an event id.
pub(super) fn from_event_id(id: EventId) -> Binary {
    from_bytes(id.to_bytes().to_vec())
}

/// Reads an event id; `None` if the value is not one.
pub(super) fn to_event_id(value: &Bson) -> Option<EventId> {
    let Bson::Binary(binary) = value else {
        return None;
    };
    let bytes = binary.bytes.as_slice().try_into().ok()?;
    Some(EventId::from_bytes(bytes))
}

/// Returns the BSON form of bytes.
pub(super) const fn from_bytes(bytes: Vec<u8>) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes,
    }
}

/// Returns the BSON form of an entry's number, or the largest number that BSON can hold. No entry
/// has a number beyond 2⁵³.
pub(super) fn from_number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
