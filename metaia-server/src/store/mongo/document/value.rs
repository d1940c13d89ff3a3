//! Values of BSON into ours, and back.

use std::str::FromStr;

use metaia_realtime::UserId;
use mongodb::bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use serde::de::DeserializeOwned;

use crate::model::Timestamp;

/// 24 lower-case hex digits, as an ObjectId.
fn object_id(text: &str) -> Option<ObjectId> {
    ObjectId::parse_str(text)
        .ok()
        .filter(|id| id.to_hex() == text)
}

/// An id as it is written.
pub(in super::super) fn id(text: &str) -> Bson {
    object_id(text).map_or_else(|| Bson::from(text), Bson::from)
}

/// Matches an id as we write it, and as text where others wrote it so.
pub(in super::super) fn either(text: &str) -> Bson {
    object_id(text).map_or_else(|| Bson::from(text), |id| doc! { "$in": [id, text] }.into())
}

/// An id as text.
pub(super) fn id_text(value: &Bson) -> Option<String> {
    match value {
        Bson::ObjectId(id) => Some(id.to_hex()),
        Bson::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The id of a document that can be asked for by it: one that is written as [`id`] writes it.
pub(in super::super) fn hex<T: FromStr>(document: &Document) -> Option<T> {
    let value = document.get("_id")?;
    let text = id_text(value).filter(|text| id(text) == *value)?;
    text.parse().ok()
}

/// Matches any of these ids, as [`either`] does.
pub(in super::super) fn any_of<'a>(ids: impl IntoIterator<Item = &'a str>) -> Bson {
    let forms = |text: &'a str| [object_id(text).map(Bson::from), Some(text.into())];
    let ids: Vec<Bson> = ids.into_iter().flat_map(forms).flatten().collect();
    doc! { "$in": ids }.into()
}

pub(in super::super) fn user_in(document: &Document, name: &str) -> Option<UserId> {
    parsed(document, name)
}

/// An id, or anything else that is read from text.
pub(in super::super) fn parsed<T: FromStr>(document: &Document, name: &str) -> Option<T> {
    id_text(document.get(name)?)?.parse().ok()
}

pub(super) fn text<'a>(document: &'a Document, name: &str) -> Option<&'a str> {
    document.get_str(name).ok()
}

/// A member of an enum, by its name in JSON.
pub(super) fn named<T: DeserializeOwned>(document: &Document, name: &str) -> Option<T> {
    serde_json::from_value(text(document, name)?.into()).ok()
}

/// A number without a fraction, of whatever type: a shell writes doubles.
pub(in super::super) fn integer(value: &Bson) -> Option<i64> {
    /// Beyond it doubles are not exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Bson::Int32(number) => Some((*number).into()),
        Bson::Int64(number) => Some(*number),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "without a fraction, and in range"
        )]
        Bson::Double(number) if number.fract() == 0.0 && number.abs() < EXACT => {
            Some(*number as i64)
        }
        _ => None,
    }
}

pub(in super::super) const fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.ms())
}

/// A date; else a text that is one.
pub(super) fn time(document: &Document, name: &str) -> Option<Timestamp> {
    match document.get(name)? {
        Bson::DateTime(at) => Timestamp::from_ms(at.timestamp_millis()),
        Bson::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// When a document was made: as it says, else as its id does.
pub(super) fn made(document: &Document) -> Option<Timestamp> {
    let of_id = || match document.get("_id") {
        Some(Bson::ObjectId(id)) => Timestamp::from_ms(id.timestamp().timestamp_millis()),
        _ => None,
    };
    time(document, "createdAt").or_else(of_id)
}
