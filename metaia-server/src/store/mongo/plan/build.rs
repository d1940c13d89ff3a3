//! Plans and writes for the committer.

use metaia_realtime::{
    NewEntry, PublishReceipt,
    mongo::{Finished, Plan, RecordWrite},
};
use mongodb::bson::{Bson, Document, doc};

/// Returns a plan whose answer does not depend on the positions of its events.
pub(super) fn plan<A: Send + 'static>(
    writes: Vec<RecordWrite>,
    events: Vec<NewEntry>,
    answer: A,
) -> Plan<A> {
    let finish = Box::new(move |_: &[PublishReceipt]| Finished {
        done: answer,
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
