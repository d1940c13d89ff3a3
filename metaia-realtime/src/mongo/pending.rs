//! A batch in the head document of a standalone server.

use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

use super::bson::{from_bytes, from_event_id, from_number, from_uuid, to_event_id, to_uuid};
use crate::values::EventId;

/// A batch that is committed and may not be carried out yet.
#[derive(Debug, Clone)]
pub(super) struct PendingBatch {
    pub(super) committer: Uuid,
    pub(super) batch: Uuid,
    /// The number of the last entry, once the batch is carried out.
    pub(super) n: u64,
    /// The id of that entry.
    pub(super) id: EventId,
    /// The growth of the log in bytes, as [`crate::NewEntry::size`] counts them.
    pub(super) bytes: i64,
    /// Writes and rows. They are kept as bytes, since older servers refuse field names with a `$`.
    pub(super) content: Vec<u8>,
}

impl PendingBatch {
    pub(super) fn to_document(&self) -> Document {
        doc! {
            "by": from_uuid(self.committer),
            "batch": from_uuid(self.batch),
            "n": from_number(self.n),
            "id": from_event_id(self.id),
            "bytes": self.bytes,
            "content": from_bytes(self.content.clone()),
        }
    }

    pub(super) fn read(document: &Document) -> Option<Self> {
        let Bson::Binary(content) = document.get("content")? else {
            return None;
        };
        Some(Self {
            committer: to_uuid(document.get("by")?)?,
            batch: to_uuid(document.get("batch")?)?,
            n: u64::try_from(document.get_i64("n").ok()?).ok()?,
            id: to_event_id(document.get("id")?)?,
            bytes: document.get_i64("bytes").ok()?,
            content: content.bytes.clone(),
        })
    }
}
