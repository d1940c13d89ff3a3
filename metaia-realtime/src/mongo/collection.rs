//! Access to collections: reads on the primary, creation of indexes, and the check of a command's
//! reply. Every operation has the same timeout (`OPERATION_TIMEOUT`).

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection, IndexModel,
    bson::{Document, doc},
    options::{
        CollectionOptions, FindOptions, IndexOptions, ReadConcern, ReadPreference,
        SelectionCriteria,
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Mongo, fault::MongoFault, options::OPERATION_TIMEOUT};

/// Documents per reply of the server, unless the options of a query say otherwise.
const BATCH_SIZE: u32 = 512;

/// Returns a collection that is read on the primary. Without a read concern the database's own
/// applies.
pub(super) fn on_primary<T: Send + Sync>(
    mongo: &Mongo,
    name: &str,
    concern: Option<ReadConcern>,
) -> Collection<T> {
    let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
    let mut options = CollectionOptions::default();
    options.read_concern = concern;
    options.selection_criteria = Some(primary);
    mongo.database().collection_with_options(name, options)
}

/// Returns a collection that is read on the primary, and whose reads never see a write that may
/// still be rolled back.
///
/// # Errors
/// Returns a [`MongoFault`] if the kind of server is not known yet and cannot be asked for.
pub(super) async fn durable<T: Send + Sync>(
    mongo: &Mongo,
    name: &str,
) -> Result<Collection<T>, MongoFault> {
    let concern = mongo.known_deployment().await?.read_concern();
    Ok(on_primary(mongo, name, Some(concern)))
}

/// Returns all documents that match.
///
/// # Errors
/// Returns a [`MongoFault`] if the server cannot be read within `OPERATION_TIMEOUT`.
pub(super) async fn find<T>(
    mongo: &Mongo,
    collection: Collection<T>,
    filter: Document,
    mut options: FindOptions,
) -> Result<Vec<T>, MongoFault>
where
    T: DeserializeOwned + Serialize + Send + Sync + Unpin + 'static,
{
    options.max_time.get_or_insert(OPERATION_TIMEOUT);
    options.batch_size.get_or_insert(BATCH_SIZE);
    let work = async move {
        collection
            .find(filter)
            .with_options(options)
            .await?
            .try_collect::<Vec<T>>()
            .await
    };
    mongo.run(OPERATION_TIMEOUT, work).await
}

/// Returns the document with this id, and in its member `now` the time of the server's clock.
///
/// # Errors
/// Returns a [`MongoFault`] if the server cannot be read within `OPERATION_TIMEOUT`.
pub(super) async fn find_with_time(
    mongo: &Mongo,
    collection: Collection<Document>,
    id: &str,
) -> Result<Option<Document>, MongoFault> {
    let stages = [
        doc! { "$match": { "_id": id } },
        doc! { "$set": { "now": "$$NOW" } },
    ];
    let work = async move {
        let mut found = collection
            .aggregate(stages)
            .max_time(OPERATION_TIMEOUT)
            .await?;
        if !found.advance().await? {
            return Ok(None);
        }
        found.deserialize_current().map(Some)
    };
    mongo.run(OPERATION_TIMEOUT, work).await
}

/// Creates an index if it does not exist. The server goes on building the index of a large
/// collection after the caller has timed out.
///
/// # Errors
/// Returns a [`MongoFault`] if the index is not ready within `OPERATION_TIMEOUT`.
pub(super) async fn create_index(
    mongo: &Mongo,
    collection: &str,
    keys: Document,
    unique: bool,
) -> Result<(), MongoFault> {
    let mut options = IndexOptions::default();
    if unique {
        options.unique = Some(true);
    }
    let index = IndexModel::builder().keys(keys).options(options).build();
    let collection = mongo.database().collection::<Document>(collection);
    let create = mongo.known_deployment().await?.index_options();
    let work = async move {
        let created = collection.create_index(index).with_options(create);
        created.await.map(drop)
    };
    mongo.run(OPERATION_TIMEOUT, work).await
}

/// Returns true if a command was carried out as a whole. The driver reports the errors of single
/// statements in the reply of a command, not as an error.
pub(super) fn is_complete(reply: &Document) -> bool {
    !reply.contains_key("writeErrors") && !reply.contains_key("writeConcernError")
}
