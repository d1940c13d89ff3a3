//! The log in MongoDB keeps the contract, on a replica set and on a standalone server, also when
//! its process is killed.

use std::marker::PhantomData;

use metaia_realtime::{
    log::Retention,
    mongo::{Mongo, MongoDevices, MongoLog, Options},
    testing::{device_contract, log_contract, mongod::Mongod},
};

pub(crate) trait Kind: Send + Sync + 'static {
    /// Where a process can be told to abort.
    const POINTS: &[&str];
    fn server() -> &'static Mongod;
}

pub(crate) struct ReplicaSet;

impl Kind for ReplicaSet {
    const POINTS: &[&str] = &[
        "mongo-begin",
        "mongo-head",
        "mongo-written",
        "mongo-committed",
        "mongo-trim-marks",
        "mongo-trim-floor",
    ];

    fn server() -> &'static Mongod {
        Mongod::replica_set()
    }
}

pub(crate) struct Standalone;

impl Kind for Standalone {
    const POINTS: &[&str] = &[
        "mongo-begin",
        "mongo-pending",
        "mongo-carried",
        "mongo-committed",
        "mongo-trim-marks",
        "mongo-trim-floor",
    ];

    fn server() -> &'static Mongod {
        Mongod::standalone()
    }
}

/// A database.
pub(crate) struct On<K> {
    uri: String,
    kind: PhantomData<K>,
}

impl<K: Kind> On<K> {
    fn new_database() -> Self {
        Self {
            uri: K::server().uri_of_new_database(),
            kind: PhantomData,
        }
    }

    async fn mongo(&self) -> Mongo {
        Mongo::open(&self.uri, Options::default()).await.unwrap()
    }
}

impl<K: Kind> log_contract::Subject for On<K> {
    type Log = MongoLog;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self::new_database()
    }

    async fn open(&self, retention: Retention) -> MongoLog {
        let log = MongoLog::open(&self.mongo().await, retention);
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

impl<K: Kind> log_contract::Shared for On<K> {
    fn address(&self) -> String {
        self.uri.clone()
    }

    fn at(address: &str) -> Self {
        Self {
            uri: address.to_owned(),
            kind: PhantomData,
        }
    }

    /// Every second process ends itself, at each of the named points in turn.
    fn end(&self, kill: usize) -> Option<(&'static str, String)> {
        let point = K::POINTS[kill / 2 % K::POINTS.len()];
        let wanted = cfg!(feature = "__crash-points") && kill % 2 == 1;
        wanted.then(|| ("METAIA_CRASH", format!("{point}:{}", kill / 2 + 1)))
    }
}

impl<K: Kind> device_contract::Subject for On<K> {
    type Store = MongoDevices;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self::new_database()
    }

    async fn open(&self) -> MongoDevices {
        MongoDevices::new(&self.mongo().await)
    }
}

mod replica_set {
    use super::{On, ReplicaSet};

    metaia_realtime::log_contract!(On<ReplicaSet>, kills: 12);
}

mod standalone {
    use super::{On, Standalone};

    metaia_realtime::log_contract!(On<Standalone>, kills: 12);
}

mod devices {
    use super::{On, ReplicaSet};

    metaia_realtime::device_contract!(On<ReplicaSet>);
}

mod devices_standalone {
    use super::{On, Standalone};

    metaia_realtime::device_contract!(On<Standalone>);
}
