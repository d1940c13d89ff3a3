//! The entries of a batch that the log already has. An entry is appended a second time if the
//! outcome of the first time was unknown.

use std::collections::HashMap;

use mongodb::{
    bson::{Bson, doc},
    options::FindOptions,
};

use crate::{
    mongo::{
        Mongo,
        bson::from_event_id,
        collection,
        fault::MongoFault,
        row::{ENTRIES, Row},
    },
    values::EventId,
};

/// Reads the numbers of those entries that the log has, by their ids.
pub(super) async fn known_numbers(
    mongo: &Mongo,
    ids: impl IntoIterator<Item = EventId>,
) -> Result<HashMap<EventId, u64>, MongoFault> {
    let ids: Vec<Bson> = ids.into_iter().map(|id| from_event_id(id).into()).collect();
    let rows = collection::durable(mongo, ENTRIES).await?;
    let filter = doc! { "id": { "$in": ids } };
    let found: Vec<Row> = collection::find(mongo, rows, filter, FindOptions::default()).await?;
    let identities = found.iter().filter_map(Row::identity);
    Ok(identities.map(|(n, id)| (id, n)).collect())
}
