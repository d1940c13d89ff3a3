//! Entries of the log as documents.

use std::sync::Arc;

use mongodb::bson::{Binary, Bson};
use serde::{Deserialize, Serialize};

use super::{
    bson::{from_event_id, to_event_id},
    fault::MongoFault,
};
use crate::{
    NewEntry,
    log::Entry,
    values::{Epoch, EventId},
};

/// The collection of the entries.
pub(super) const ENTRIES: &str = "rt_entry";

/// The size that is assumed for a document without its payload, in bytes.
const OVERHEAD: usize = 256;

/// An entry as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "_id")]
    pub(super) n: i64,
    id: Binary,
    ts: i64,
    // A row without one of these is a damaged entry, and not a collection that cannot be read.
    #[serde(default)]
    rooms: Vec<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    payload: String,
}

impl Row {
    pub(super) fn from_entry(entry: &Entry) -> Self {
        let content = entry.content();
        Self {
            n: entry.n().cast_signed(),
            id: from_event_id(content.id()),
            ts: entry.ts(),
            rooms: content.rooms().iter().map(ToString::to_string).collect(),
            name: content.name().to_owned(),
            payload: content.payload().as_str().to_owned(),
        }
    }

    /// Returns the number and the id of the entry. They may be readable in a row of which the rest
    /// is damaged.
    pub(super) fn identity(&self) -> Option<(u64, EventId)> {
        let n = u64::try_from(self.n).ok()?;
        let id = to_event_id(&Bson::Binary(self.id.clone()))?;
        Some((n, id))
    }

    /// Returns the approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        self.payload.len() + OVERHEAD
    }

    /// Returns the entry.
    ///
    /// # Errors
    /// Returns [`MongoFault::Damaged`] if the row is not one that this crate writes.
    pub(super) fn into_entry(self, epoch: Epoch) -> Result<Arc<Entry>, MongoFault> {
        self.parse(epoch)
            .ok_or(MongoFault::Damaged("an entry of the log"))
    }

    fn parse(self, epoch: Epoch) -> Option<Arc<Entry>> {
        let (n, id) = self.identity()?;
        let new = NewEntry::stored(id, &self.rooms, &self.name, self.payload).ok()?;
        Some(Arc::new(Entry::new(epoch, n, self.ts, new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mongo::earlier;
    use mongodb::bson::{Document, deserialize_from_bson, doc, serialize_to_bson};

    fn entry(document: Document) -> Arc<Entry> {
        let row: Row = deserialize_from_bson(document.into()).unwrap();
        row.into_entry(Epoch::from_bits(7)).unwrap()
    }

    #[track_caller]
    fn check_same(document: &Document) {
        let written = Row::from_entry(&entry(document.clone()));
        assert_eq!(
            serialize_to_bson(&written).unwrap(),
            document.clone().into()
        );
    }

    #[test]
    fn entries_of_an_earlier_version_are_the_same() {
        let documents = earlier::documents("mongodb/rt_entry");
        let names: Vec<&str> = documents
            .iter()
            .flat_map(|row| row.get_str("name"))
            .collect();
        for name in ["rt:recheck", "rt:disconnect_session", "order_update"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        documents.iter().for_each(check_same);
    }

    /// Checks a control entry that nodes of format 0 read. A new kind follows the rule in
    /// [`crate::presence::FORMAT`].
    #[track_caller]
    fn check_control(new: NewEntry, name: &str, rooms: &[&str], payload: &str) {
        let document = doc! {
            "_id": 5_i64,
            "id": from_event_id(new.id()),
            "ts": 6_i64,
            "rooms": rooms,
            "name": name,
            "payload": payload,
        };
        check_same(&document);
        let written = Row::from_entry(&Entry::new(Epoch::from_bits(7), 5, 6, new));
        assert_eq!(serialize_to_bson(&written).unwrap(), document.into());
    }

    #[test]
    fn control_entries_of_format_0_are_the_same() {
        let recheck = NewEntry::recheck("o1".parse().unwrap());
        check_control(recheck, "rt:recheck", &["order-o1"], "{}");
        let user = NewEntry::disconnect_user("c1".parse().unwrap());
        check_control(user, "rt:disconnect_user", &[], r#"{"id":"c1"}"#);
        let id = "39095570e7af4745a6858ba6f50172af";
        let session = NewEntry::disconnect_session(id.parse().unwrap());
        let payload = format!(r#"{{"id":"{id}"}}"#);
        check_control(session, "rt:disconnect_session", &[], &payload);
    }
}
