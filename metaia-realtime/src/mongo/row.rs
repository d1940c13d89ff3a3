//! Entries as documents.

use std::sync::Arc;

use mongodb::bson::{Binary, Bson};
use serde::{Deserialize, Serialize};

use super::{
    fault::Fault,
    head::{binary, event_id},
};
use crate::{NewEntry, Room, log::Entry, values::Epoch};

/// Their collection.
pub(in crate::mongo) const ENTRIES: &str = "rt_entry";

/// An entry as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::mongo) struct Row {
    #[serde(rename = "_id")]
    pub(in crate::mongo) n: i64,
    id: Binary,
    ts: i64,
    rooms: Vec<String>,
    name: String,
    payload: String,
}

impl Row {
    pub(in crate::mongo) fn of(entry: &Entry) -> Self {
        let content = entry.content();
        Self {
            n: entry.n().cast_signed(),
            id: binary(content.id()),
            ts: entry.ts(),
            rooms: content.rooms().iter().map(ToString::to_string).collect(),
            name: content.name().to_owned(),
            payload: content.payload().as_str().to_owned(),
        }
    }

    /// Its number and id, which are known even where the rest cannot be read.
    pub(in crate::mongo) fn identity(&self) -> Option<(u64, crate::EventId)> {
        Some((
            u64::try_from(self.n).ok()?,
            event_id(&Bson::Binary(self.id.clone()))?,
        ))
    }

    /// About how many bytes it takes.
    pub(in crate::mongo) fn size(&self) -> usize {
        self.payload.len() + 256
    }

    pub(in crate::mongo) fn entry(self, epoch: Epoch) -> Result<Arc<Entry>, Fault> {
        self.parse(epoch)
            .ok_or(Fault::Damaged("an entry of the log"))
    }

    fn parse(self, epoch: Epoch) -> Option<Arc<Entry>> {
        let (n, id) = self.identity()?;
        let rooms = self
            .rooms
            .iter()
            .map(|room| room.parse().ok())
            .collect::<Option<Vec<Room>>>()?;
        let new = NewEntry::stored(id, rooms, &self.name, self.payload).ok()?;
        Some(Arc::new(Entry::new(epoch, n, self.ts, new)))
    }
}
