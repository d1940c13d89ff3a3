//! Preparation of a database: the collections of the log, their indexes, its head.

use mongodb::bson::{Document, doc};

use super::read::{self, MARKS};
use crate::{
    mongo::{
        Mongo,
        collection::create_index,
        fault::{MongoFault, is_duplicate},
        head::{HEAD, HeadRecord},
        options::OPERATION_TIMEOUT,
        row::ENTRIES,
    },
    values::EventId,
};

/// Creates what does not exist. Several nodes may do this at the same time.
pub(super) async fn prepare(mongo: &Mongo) -> Result<(), MongoFault> {
    create_index(mongo, ENTRIES, doc! { "id": 1 }, true).await?;
    create_index(mongo, ENTRIES, doc! { "rooms": 1, "_id": 1 }, false).await?;
    create_index(mongo, MARKS, doc! { "n": 1 }, false).await?;
    let concern = mongo.known_deployment().await?.read_concern();
    if read::head(mongo, concern).await?.is_some() {
        return Ok(());
    }
    create_head(mongo).await
}

async fn create_head(mongo: &Mongo) -> Result<(), MongoFault> {
    // Entries may be left of a log whose head is gone. Their numbers are not given again.
    let last = read::last_identity(mongo).await?;
    let (n, id) = last.unwrap_or((0, EventId::from_bytes([0; 16])));
    let first = HeadRecord::first(n, id);
    let heads = mongo.database().collection::<Document>(HEAD);
    let concern = mongo.known_deployment().await?.write_concern();
    let work = async move {
        match heads.insert_one(first).write_concern(concern).await {
            // Another node was faster.
            Err(error) if is_duplicate(&error) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    };
    mongo.run(OPERATION_TIMEOUT, work).await
}
