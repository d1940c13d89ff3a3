//! The update of the head that makes a batch a part of the log.

use mongodb::bson::{Document, doc};
use uuid::Uuid;

use super::bson::{from_event_id, from_number, from_uuid};
use crate::values::EventId;

/// The number of committers whose last batch the head names.
const RECENT: i32 = 64;

/// The changes of a batch to the head, apart from its `turn`. On a replica set the update is a part
/// of the batch's transaction. On a standalone server it is the last step of carrying the batch
/// out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeadUpdate {
    pub(super) committer: Uuid,
    pub(super) batch: Uuid,
    /// The number of the last entry after the batch.
    pub(super) n: u64,
    /// The id of that entry.
    pub(super) id: EventId,
    /// The growth of the log in bytes, as [`crate::NewEntry::size`] counts them.
    pub(super) bytes: i64,
}

impl HeadUpdate {
    /// Returns the update as a pipeline. It also removes what belongs to the head before the batch:
    /// the request of another committer for its turn, and the batch that was to be carried out.
    pub(super) fn pipeline(&self) -> Vec<Document> {
        let set = doc! {
            "n": from_number(self.n),
            "id": from_event_id(self.id),
            "bytes": { "$add": ["$bytes", self.bytes] },
            "recent": self.recent(),
        };
        vec![
            doc! { "$set": set },
            doc! { "$unset": ["asking", "pending"] },
        ]
    }

    /// Returns the expression that makes the batch the last one of its committer in `recent`.
    fn recent(&self) -> Document {
        let committer = from_uuid(self.committer);
        let is_other = doc! { "$ne": ["$$this.by", committer.clone()] };
        let others = doc! { "$filter": { "input": "$recent", "cond": is_other } };
        let newest = doc! { "by": committer, "batch": from_uuid(self.batch) };
        doc! { "$slice": [{ "$concatArrays": [[newest], others] }, RECENT] }
    }
}
