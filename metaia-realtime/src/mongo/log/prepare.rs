//! What must be in the database before there is a log: its collections, their indexes, its head.

use mongodb::{
    IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};

use super::read::{self, MARKS, Wanted};
use crate::{
    EventId,
    mongo::{
        Mongo,
        fault::{Fault, is_duplicate},
        handle::PATIENCE,
        head::{HEAD, HeadRecord},
        row::{ENTRIES, Row},
    },
};

/// Makes what is not there. Whoever does it at the same time does no harm.
pub(super) async fn prepare(mongo: &Mongo) -> Result<(), Fault> {
    index(mongo, ENTRIES, doc! { "id": 1 }, true).await?;
    index(mongo, ENTRIES, doc! { "rooms": 1, "_id": 1 }, false).await?;
    index(mongo, MARKS, doc! { "n": 1 }, false).await?;
    let deployment = mongo.deployed().await?;
    if read::head(mongo, Mongo::reading(deployment))
        .await?
        .is_some()
    {
        return Ok(());
    }
    // Entries may be left of a log whose head is gone: nobody gets their numbers once more.
    let everything = Wanted {
        after: 0,
        upto: u64::MAX,
        rooms: None,
        limit: 1,
    };
    let last = read::last_entries(mongo, everything, 0).await?;
    let (n, id) = last
        .first()
        .and_then(Row::identity)
        .unwrap_or((0, EventId::from_bytes([0; 16])));
    let (heads, first) = (
        mongo.database().collection::<Document>(HEAD),
        HeadRecord::first(n, id),
    );
    let concern = Mongo::writing(deployment);
    let work = async move {
        match heads.insert_one(first).write_concern(concern).await {
            Err(error) if !is_duplicate(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    };
    mongo.run(PATIENCE, work).await
}

/// Indexes of a log that has many entries take their time, and go on being made when nobody waits.
pub(in crate::mongo) async fn index(
    mongo: &Mongo,
    collection: &str,
    keys: Document,
    unique: bool,
) -> Result<(), Fault> {
    let collection = mongo.database().collection::<Document>(collection);
    let options = IndexOptions::builder()
        .unique(unique.then_some(true))
        .build();
    let model = IndexModel::builder().keys(keys).options(options).build();
    mongo
        .run(PATIENCE, async move {
            collection.create_index(model).await.map(drop)
        })
        .await
}
