//! The log in MongoDB keeps the contract, also when its process is killed.

use metaia_realtime::{
    log::Retention,
    mongo::{Mongo, MongoLog, Options},
    testing::{log_contract, mongod::Mongod},
};

/// A database in the replica set.
pub(crate) struct OfReplicaSet {
    uri: String,
}

impl log_contract::Subject for OfReplicaSet {
    type Log = MongoLog;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self { uri: Mongod::replica_set().uri_of_new_database() }
    }

    async fn open(&self, retention: Retention) -> MongoLog {
        let mongo = Mongo::open(&self.uri, Options::default()).await.unwrap();
        let log = MongoLog::open(&mongo, retention);
        log.ready().await.unwrap();
        log
    }

    async fn trim(&self, log: &MongoLog) {
        log.trim().await.unwrap();
    }

    async fn close(&self, log: MongoLog) {
        log.close().await;
    }
}

impl log_contract::Shared for OfReplicaSet {
    fn address(&self) -> String {
        self.uri.clone()
    }

    fn at(address: &str) -> Self {
        Self { uri: address.to_owned() }
    }
}

mod replica_set {
    use super::OfReplicaSet;

    metaia_realtime::log_contract!(OfReplicaSet);
}
