//! Values of BSON as ours, and ours as BSON.

use std::str::FromStr;

use metaia_realtime::UserId;
use mongodb::bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use serde::de::DeserializeOwned;

use crate::model::Timestamp;

/// Returns 24 lower-case hex digits as an ObjectId.
fn object_id(text: &str) -> Option<ObjectId> {
    ObjectId::parse_str(text)
        .ok()
        .filter(|id| id.to_hex() == text)
}

/// Returns an id as this server writes it: an ObjectId if possible, otherwise text.
pub(in super::super) fn id(text: &str) -> Bson {
    object_id(text).map_or_else(|| Bson::from(text), Bson::from)
}

/// Returns a condition that matches an id as this server writes it, and as text, as other programs
/// may.
pub(in super::super) fn id_or_text(text: &str) -> Bson {
    object_id(text).map_or_else(|| Bson::from(text), |id| doc! { "$in": [id, text] }.into())
}

/// Returns an id as text.
pub(super) fn id_text(value: &Bson) -> Option<String> {
    match value {
        Bson::ObjectId(id) => Some(id.to_hex()),
        Bson::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Reads the id of a document, if it is stored as [`id`] writes it, so that a read by id finds it.
pub(in super::super) fn id_in<T: FromStr>(document: &Document) -> Option<T> {
    let value = document.get("_id")?;
    let text = id_text(value).filter(|text| id(text) == *value)?;
    text.parse().ok()
}

/// Returns a condition that matches any of these ids, as [`id_or_text`] does.
pub(in super::super) fn any_of<'a>(ids: impl IntoIterator<Item = &'a str>) -> Bson {
    let forms = |text: &'a str| [object_id(text).map(Bson::from), Some(text.into())];
    let ids: Vec<Bson> = ids.into_iter().flat_map(forms).flatten().collect();
    doc! { "$in": ids }.into()
}

pub(in super::super) fn user_in(document: &Document, name: &str) -> Option<UserId> {
    parsed(document, name)
}

/// Reads an id, or another value that is parsed from text.
pub(in super::super) fn parsed<T: FromStr>(document: &Document, name: &str) -> Option<T> {
    id_text(document.get(name)?)?.parse().ok()
}

pub(super) fn text<'a>(document: &'a Document, name: &str) -> Option<&'a str> {
    document.get_str(name).ok()
}

/// Reads a value of an enum, by its name in JSON.
pub(super) fn named<T: DeserializeOwned>(document: &Document, name: &str) -> Option<T> {
    serde_json::from_value(text(document, name)?.into()).ok()
}

/// Returns a whole number of any numeric type: the MongoDB shell writes doubles.
pub(in super::super) fn integer(value: &Bson) -> Option<i64> {
    /// 2⁵³, up to which doubles represent every whole number.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Bson::Int32(number) => Some((*number).into()),
        Bson::Int64(number) => Some(*number),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "without a fraction, and in range"
        )]
        Bson::Double(number) if number.fract() == 0.0 && number.abs() < MAX_EXACT => {
            Some(*number as i64)
        }
        _ => None,
    }
}

pub(in super::super) const fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.ms())
}

/// Reads a time from a date, or from a text in RFC 3339.
pub(super) fn time(document: &Document, name: &str) -> Option<Timestamp> {
    match document.get(name)? {
        Bson::DateTime(at) => Timestamp::from_ms(at.timestamp_millis()),
        Bson::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Reads the creation time of a document from `createdAt`, or from its ObjectId.
pub(super) fn created_at_in(document: &Document) -> Option<Timestamp> {
    let from_id = || match document.get("_id") {
        Some(Bson::ObjectId(id)) => Timestamp::from_ms(id.timestamp().timestamp_millis()),
        _ => None,
    };
    time(document, "createdAt").or_else(from_id)
}
