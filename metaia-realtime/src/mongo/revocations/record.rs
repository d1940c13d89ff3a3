//! The documents of revocations.

use mongodb::bson::{Bson, Document, doc};

use super::clock::CLOCK;
use crate::revocation::Revocation;

/// Returns the field of the bound. Only tokens have an end, which is the field of an index.
pub(super) const fn bound_field(revocation: &Revocation) -> &'static str {
    match revocation {
        Revocation::Token { .. } => "until",
        _ => "before",
    }
}

/// Returns the condition on a bound that can be read: see [`read_record`]. A list has the types of
/// its members, too.
pub(super) fn is_readable() -> Document {
    doc! { "$type": ["int", "long"], "$not": { "$type": "array" } }
}

/// Returns the filter for documents whose bound cannot be read.
fn is_unreadable(field: &str) -> Document {
    doc! { "$or": [
        { field: { "$not": { "$type": ["int", "long"] } } },
        { field: { "$type": "array" } },
    ] }
}

/// Reads documents. Returns the records, and the ids of those that cannot be read.
pub(super) fn read_all(documents: Vec<Document>) -> (Vec<Revocation>, Vec<Bson>) {
    let mut records = Vec::new();
    let mut damaged = Vec::new();
    for mut document in documents {
        match read_record(&document) {
            Some(record) => records.push(record),
            None => damaged.extend(document.remove("_id")),
        }
    }
    damaged.retain(|id| id.as_str() != Some(CLOCK));
    (records, damaged)
}

/// Reads the document of a revocation; `None` if it cannot be read.
pub(super) fn read_record(document: &Document) -> Option<Revocation> {
    let key = document.get_str("_id").ok()?;
    let read = Revocation::from_stored(key, 0)?;
    let bound = match document.get(bound_field(&read))? {
        Bson::Int64(bound) => *bound,
        Bson::Int32(bound) => i64::from(*bound),
        _ => return None,
    };
    Revocation::from_stored(key, bound)
}

/// Returns the filter for documents with these ids that still cannot be read: another node may have
/// replaced them, and a record may have been put in their place.
pub(super) fn still_damaged(ids: Vec<Bson>) -> Document {
    let mut befores = Vec::new();
    let mut untils = Vec::new();
    let mut others = Vec::new();
    for id in ids {
        let of_key = id.as_str().and_then(|key| Revocation::from_stored(key, 0));
        match of_key {
            Some(Revocation::Token { .. }) => untils.push(id),
            Some(_) => befores.push(id),
            // No revocation has this id.
            None => others.push(id),
        }
    }
    doc! { "$or": [
        { "$and": [{ "_id": { "$in": befores } }, is_unreadable("before")] },
        { "$and": [{ "_id": { "$in": untils } }, is_unreadable("until")] },
        { "_id": { "$in": others } },
    ] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_or_named() {
        let user = Revocation::of_user("u1".parse().unwrap(), 7);
        for (document, expected) in [
            (doc! { "_id": "user u1", "before": 7_i64 }, user.clone()),
            (doc! { "_id": "user u1", "before": 7 }, user),
            (
                doc! { "_id": "token t", "until": i64::MAX },
                Revocation::of_token("t", None),
            ),
        ] {
            assert_eq!(read_all(vec![document]), (vec![expected], vec![]));
        }
        for document in [
            doc! { "_id": "token t", "before": 7_i64 },
            doc! { "_id": "user u1", "before": "$where" },
            doc! { "_id": "user x y", "before": 7_i64 },
            doc! { "_id": 7 },
        ] {
            let id = document.get("_id").unwrap().clone();
            assert_eq!(read_all(vec![document]), (vec![], vec![id]));
        }
        let clock = doc! { "_id": "clock", "clock": true };
        assert_eq!(read_all(vec![clock, doc! {}]), (vec![], vec![]));
    }
}
