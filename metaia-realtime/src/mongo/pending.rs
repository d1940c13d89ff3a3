//! A batch in the head document of a standalone server.

use std::sync::Arc;

use mongodb::bson::{Bson, Document, deserialize_from_bson, doc, serialize_to_bson};

use super::{
    bson::{from_bytes, from_event_id, from_number, from_uuid, to_event_id, to_uuid},
    head_update::HeadUpdate,
    row::Row,
    writes::WriteGroup,
};
use crate::log::Entry;

/// The most bytes of a batch that go into the head: a document is bounded at 16 MiB.
const MAX_CONTENT_BYTES: usize = 12 * 1024 * 1024;

/// A batch that is committed and may not be carried out yet.
#[derive(Debug, Clone)]
pub(super) struct PendingBatch {
    /// The update of the head, once the batch is carried out.
    pub(super) update: HeadUpdate,
    /// The [`PendingContent`]. It is kept as bytes, since older servers refuse field names with a
    /// `$`.
    content: Vec<u8>,
}

/// The writes that carry a batch out.
#[derive(Debug)]
pub(super) struct PendingContent {
    pub(super) groups: Vec<WriteGroup>,
    pub(super) rows: Vec<Row>,
}

impl PendingBatch {
    /// Returns `None` if the batch does not fit into the head.
    pub(super) fn new(
        update: HeadUpdate,
        groups: &[WriteGroup],
        entries: &[Arc<Entry>],
    ) -> Option<Self> {
        let groups: Vec<Document> = groups.iter().map(WriteGroup::to_document).collect();
        let rows = entries
            .iter()
            .map(|entry| serialize_to_bson(&Row::from_entry(entry)).ok())
            .collect::<Option<Vec<Bson>>>()?;
        let content = doc! { "groups": groups, "rows": rows }.to_vec().ok()?;
        if content.len() > MAX_CONTENT_BYTES {
            return None;
        }
        Some(Self { update, content })
    }

    /// Returns the writes and the rows, or `None` if they are damaged.
    pub(super) fn decode(&self) -> Option<PendingContent> {
        let content = Document::from_reader(self.content.as_slice()).ok()?;
        let groups = content
            .get_array("groups")
            .ok()?
            .iter()
            .map(|group| WriteGroup::from_document(group.as_document()?))
            .collect::<Option<_>>()?;
        let rows = content
            .get_array("rows")
            .ok()?
            .iter()
            .map(|row| deserialize_from_bson(row.clone()).ok())
            .collect::<Option<_>>()?;
        Some(PendingContent { groups, rows })
    }

    pub(super) fn to_document(&self) -> Document {
        let HeadUpdate {
            committer,
            batch,
            n,
            id,
            bytes,
        } = self.update;
        doc! {
            "by": from_uuid(committer),
            "batch": from_uuid(batch),
            "n": from_number(n),
            "id": from_event_id(id),
            "bytes": bytes,
            "content": from_bytes(self.content.clone()),
        }
    }

    pub(super) fn read(document: &Document) -> Option<Self> {
        let Bson::Binary(content) = document.get("content")? else {
            return None;
        };
        let update = HeadUpdate {
            committer: to_uuid(document.get("by")?)?,
            batch: to_uuid(document.get("batch")?)?,
            n: u64::try_from(document.get_i64("n").ok()?).ok()?,
            id: to_event_id(document.get("id")?)?,
            bytes: document.get_i64("bytes").ok()?,
        };
        Some(Self {
            update,
            content: content.bytes.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        NewEntry, Room,
        mongo::{earlier, head::HeadRecord, records::RecordWrite, writes::group},
        values::{Epoch, EventId},
    };
    use serde_json::json;
    use uuid::Uuid;

    fn update() -> HeadUpdate {
        HeadUpdate {
            committer: Uuid::new_v4(),
            batch: Uuid::new_v4(),
            n: 7,
            id: EventId::random(),
            bytes: 40,
        }
    }

    #[test]
    fn a_batch_reads_back_from_the_head() {
        let groups = group([RecordWrite::Update {
            collection: "orders",
            filter: doc! { "_id": 1, "version": { "$lt": 3 } },
            update: doc! { "$set": { "version": 3 } },
        }]);
        let new = NewEntry::event([Room::Everyone], ("e", json!({ "a": 1 }))).unwrap();
        let entry = Arc::new(Entry::new(Epoch::from_bits(1), 7, 5, new));
        let batch = PendingBatch::new(update(), &groups, &[entry]).unwrap();
        let read = PendingBatch::read(&batch.to_document()).unwrap();
        assert_eq!(read.update, batch.update);
        let content = read.decode().unwrap();
        assert_eq!(content.groups, groups);
        assert_eq!(content.rows.len(), 1);
        assert_eq!(content.rows[0].n, 7);
    }

    #[test]
    fn a_batch_that_does_not_fit_into_the_head_is_refused() {
        let groups = group([RecordWrite::Insert {
            collection: "orders",
            document: doc! { "_id": "x".repeat(MAX_CONTENT_BYTES) },
        }]);
        assert!(PendingBatch::new(update(), &groups, &[]).is_none());
    }

    #[test]
    fn a_batch_that_an_earlier_version_left_is_the_same() {
        let stored = earlier::documents("interrupted/rt_head").remove(0);
        let pending = HeadRecord::read(&stored).unwrap().pending.unwrap();
        assert_eq!(
            pending.to_document(),
            *stored.get_document("pending").unwrap()
        );
        let PendingContent { groups, rows } = pending.decode().unwrap();
        let groups: Vec<Bson> = groups
            .iter()
            .map(|group| group.to_document().into())
            .collect();
        let rows: Vec<Bson> = rows
            .iter()
            .map(|row| serialize_to_bson(row).unwrap())
            .collect();
        assert!(groups.len() > 1 && rows.len() > 1, "records and events");
        let content = doc! { "groups": groups, "rows": rows };
        assert_eq!(content.to_vec().unwrap(), pending.content);
    }
}
