//! Against a real server: the contract, and what only documents have.

mod differential;
mod foreign;

use metaia_realtime::{EventLog, mongo::Options, testing::mongod::Mongod};
use mongodb::bson::{Document, doc};

use super::*;
use crate::store::contract::{Site, store_contract};

store_contract!(Fixture);

/// A database of its own in a replica set.
struct Fixture {
    uri: String,
    store: MongoStore,
}

impl Fixture {
    async fn at(uri: String) -> Self {
        let mongo = Mongo::open(&uri, Options::default()).await.unwrap();
        let store = MongoStore::open(&mongo, Retention::DISK, &Limits::default());
        store.log.ready().await.unwrap();
        Self { uri, store }
    }

    /// Writes what another program would.
    async fn insert(&self, collection: &str, document: Document) {
        self.store.mongo.database().collection(collection).insert_one(document).await.unwrap();
    }
}

impl Site for Fixture {
    const CASES: u32 = 8;

    async fn new() -> Self {
        Self::at(Mongod::replica_set().uri_of_new_database()).await
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        Self::at(self.uri).await
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn log(&self) -> &impl EventLog {
        self.store.log()
    }
}
