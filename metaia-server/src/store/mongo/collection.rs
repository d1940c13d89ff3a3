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
    let mut options = CollectionOptions::default();
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.read_concern = Some(match deployment {
        Deployment::ReplicaSet => ReadConcern::majority(),
        Deployment::Standalone => ReadConcern::local(),
    });
    db.collection_with_options(name, options)
}
