//! The log and the devices in MongoDB keep their contracts, on a replica set and on a standalone
//! server, also if the process is killed.

use std::marker::PhantomData;

use metaia_realtime::{
    log::Retention,
    mongo::{Mongo, MongoDevices, MongoLog, MongoOptions, MongoRevocations},
    testing::{device_contract, log_contract, mongod::Mongod, revocation_contract},
};

/// A kind of server that the contracts are run with.
pub(crate) trait Kind: Send + Sync + 'static {
    /// The points at which a process can be told to abort.
    const CRASH_POINTS: &[&str];

    fn server() -> &'static Mongod;
}

pub(crate) struct ReplicaSet;

impl Kind for ReplicaSet {
    const CRASH_POINTS: &[&str] = &[
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
    const CRASH_POINTS: &[&str] = &[
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

/// A database on a server of this kind.
pub(crate) struct Database<K> {
    uri: String,
    kind: PhantomData<K>,
}

impl<K: Kind> Database<K> {
    fn new_database() -> Self {
        Self {
            uri: K::server().uri_of_new_database(),
            kind: PhantomData,
        }
    }

    async fn open_mongo(&self) -> Mongo {
        Mongo::open(&self.uri, MongoOptions::default())
            .await
            .unwrap()
    }
}

impl<K: Kind> log_contract::Subject for Database<K> {
    type Log = MongoLog;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self::new_database()
    }

    async fn open(&self, retention: Retention) -> MongoLog {
        let log = MongoLog::open(&self.open_mongo().await, retention);
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

impl<K: Kind> log_contract::KillableSubject for Database<K> {
    fn address(&self) -> String {
        self.uri.clone()
    }

    fn at(address: &str) -> Self {
        Self {
            uri: address.to_owned(),
            kind: PhantomData,
        }
    }

    /// Makes every second process abort itself, at each of the points in turn.
    fn end(&self, kill: usize) -> Option<(&'static str, String)> {
        let point = K::CRASH_POINTS[kill / 2 % K::CRASH_POINTS.len()];
        let wanted = cfg!(feature = "__crash-points") && kill % 2 == 1;
        if !wanted {
            return None;
        }
        Some(("METAIA_CRASH", format!("{point}:{}", kill / 2 + 1)))
    }
}

impl<K: Kind> device_contract::Subject for Database<K> {
    type Store = MongoDevices;
    const DURABLE: bool = true;
    const SHARED: bool = true;

    fn new() -> Self {
        Self::new_database()
    }

    async fn open(&self) -> MongoDevices {
        MongoDevices::new(&self.open_mongo().await)
    }
}

impl<K: Kind> revocation_contract::Subject for Database<K> {
    type Store = MongoRevocations;
    const DURABLE: bool = true;
    const SHARED: bool = true;

    fn new() -> Self {
        Self::new_database()
    }

    async fn open(&self) -> MongoRevocations {
        MongoRevocations::new(&self.open_mongo().await)
    }
}

mod replica_set {
    use super::{Database, ReplicaSet};

    metaia_realtime::log_contract!(Database<ReplicaSet>, kills: 12);
}

mod standalone {
    use super::{Database, Standalone};

    metaia_realtime::log_contract!(Database<Standalone>, kills: 12);
}

mod devices {
    use super::{Database, ReplicaSet};

    metaia_realtime::device_contract!(Database<ReplicaSet>);
}

mod devices_standalone {
    use super::{Database, Standalone};

    metaia_realtime::device_contract!(Database<Standalone>);
}

mod revocations {
    use super::{Database, ReplicaSet};

    metaia_realtime::revocation_contract!(Database<ReplicaSet>);
}

mod revocations_standalone {
    use super::{Database, Standalone};

    metaia_realtime::revocation_contract!(Database<Standalone>);
}
