//! The storage of the server: the embedded SQLite file, or MongoDB. Each holds the records, the log
//! and the positions of devices.

use std::{error::Error, sync::Arc, time::Duration};

use metaia_realtime::{
    Realtime, RealtimeBuilder,
    mongo::{Deployment, Mongo, MongoDevices, MongoDirectory, MongoOptions},
    sqlite::{Durability, SqliteOptions},
};
use tokio::time::timeout;

use crate::{
    config::{Config, MongoDb},
    startup::data_dir,
    store::{MongoStore, SqliteStore, Store},
};

/// The time that the banner waits to learn which kind of MongoDB answers. Nothing else waits
/// for it.
const DEPLOYMENT_TIMEOUT: Duration = Duration::from_secs(1);

/// The opened storage.
pub(crate) struct Storage {
    pub(crate) store: Arc<dyn Store>,
    /// A builder with the log, the device store, and, on MongoDB, the directory of sessions.
    pub(crate) builder: RealtimeBuilder,
    pub(crate) description: Description,
}

/// The storage as the banner shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) store: String,
    pub(crate) log: &'static str,
}

/// A well-formed address that the driver refuses.
#[derive(Debug, thiserror::Error)]
#[error("MONGODB_URI cannot be used")]
struct UnusableUri(#[source] metaia_realtime::mongo::UriError);

impl Storage {
    /// Opens the configured storage. An embedded store can be used at once; a MongoDB may become
    /// reachable later.
    pub(crate) async fn open(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        match &config.mongodb {
            None => Self::open_embedded(config).await,
            Some(mongodb) => Self::open_mongodb(config, mongodb).await,
        }
    }

    async fn open_embedded(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let path = data_dir::database(&config.data);
        let limits = &config.limits.realtime;
        let options = SqliteOptions::durability(config.durability);
        let store = SqliteStore::open(path, options, config.retention, limits).await?;
        let builder = Realtime::builder()
            .device_store(store.log().clone())
            .log(store.log().clone());
        Ok(Self {
            store: Arc::new(store),
            builder,
            description: Description::embedded(config),
        })
    }

    async fn open_mongodb(
        config: &Config,
        mongodb: &MongoDb,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut options = MongoOptions::default();
        if let Some(pool) = mongodb.pool {
            options = options.pool(pool);
        }
        let mongo = Mongo::open(mongodb.uri.expose().trim(), options)
            .await
            .map_err(UnusableUri)?;
        let store = MongoStore::open(&mongo, config.retention, &config.limits.realtime);
        store.make_indexes();
        let builder = Realtime::builder()
            .log(store.log().clone())
            .device_store(MongoDevices::new(&mongo))
            .directory(MongoDirectory::new(&mongo));
        let deployment = timeout(DEPLOYMENT_TIMEOUT, mongo.deployment()).await;
        let deployment = deployment.ok().and_then(Result::ok);
        Ok(Self {
            store: Arc::new(store),
            builder,
            description: Description::mongodb(mongodb, deployment),
        })
    }
}

impl Description {
    pub(crate) fn embedded(config: &Config) -> Self {
        let durability = if config.durability == Durability::Full {
            "full"
        } else {
            "normal"
        };
        let file = data_dir::database(&config.data);
        Self {
            store: format!("{} (SQLite, durability {durability})", file.display()),
            log: "in the same file",
        }
    }

    pub(crate) fn mongodb(mongodb: &MongoDb, deployment: Option<Deployment>) -> Self {
        let kind = match deployment {
            Some(Deployment::ReplicaSet) => "MongoDB, a replica set",
            Some(Deployment::Standalone) => "MongoDB, a standalone server: for development only",
            None => "MongoDB, which does not answer yet: see /readyz",
        };
        Self {
            store: format!("{} ({kind})", mongodb.place()),
            log: "in the same database",
        }
    }
}
