//! Collections with the options under which records are read.

use metaia_realtime::mongo::Deployment;
use mongodb::{
    Collection, Database,
    bson::Document,
    options::{CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria},
};

/// Returns a collection that is read on the primary with majority read concern, so that a read sees
/// nothing that may be rolled back. A standalone server has no majority.
pub(super) fn collection(
    db: &Database,
    deployment: Deployment,
    name: &str,
) -> Collection<Document> {
    on_primary(db, name, deployment.read_concern())
}

/// Returns a collection whose reads of one document see every acknowledged change.
pub(super) fn latest(db: &Database, deployment: Deployment, name: &str) -> Collection<Document> {
    on_primary(db, name, deployment.linearizable_read_concern())
}

fn on_primary(db: &Database, name: &str, concern: ReadConcern) -> Collection<Document> {
    let mut options = CollectionOptions::default();
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.read_concern = Some(concern);
    db.collection_with_options(name, options)
}
