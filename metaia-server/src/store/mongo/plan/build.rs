//! Plans and writes for the committer.

use metaia_realtime::{
    NewEntry, PublishReceipt,
    mongo::{Finished, Plan, RecordWrite},
};
use mongodb::bson::{Bson, Document, doc};

use super::super::request::{CommitReply, CommitResult};

/// Returns a plan whose reply does not depend on the positions of its events.
pub(super) fn plan(
    writes: Vec<RecordWrite>,
    events: Vec<NewEntry>,
    reply: CommitReply,
) -> Plan<CommitResult> {
    let finish = Box::new(move |_: &[PublishReceipt]| Finished {
        done: Ok(reply),
        writes: Vec::new(),
    });
    Plan {
        writes,
        events,
        finish,
    }
}

/// Returns a write that sets fields of a document, if the document still matches the filter.
pub(super) fn set(
    collection: &'static str,
    filter: Document,
    fields: impl Into<Bson>,
) -> RecordWrite {
    RecordWrite::Update {
        collection,
        filter,
        update: doc! { "$set": fields.into() },
    }
}
