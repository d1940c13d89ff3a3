//! What the server stands on: the embedded store, or MongoDB. Both bring the log, and where devices
//! are kept.

use std::{error::Error, sync::Arc, time::Duration};

use metaia_realtime::{
    Realtime, RealtimeBuilder,
    mongo::{Deployment, Mongo, MongoDevices, MongoDirectory, Options as MongoOptions},
    sqlite::{Durability, Options},
};
use tokio::time::timeout;

use crate::{
    config::{Config, MongoDb},
    startup::data_dir as data,
    store::{MongoStore, SqliteStore, Store},
};

/// How long the announcement waits to learn what kind of server answers. Nothing else waits.
const GREETING: Duration = Duration::from_secs(1);

/// What the server stands on.
pub(crate) struct Ground {
    pub(crate) store: Arc<dyn Store>,
    /// With the log, the devices, and the directory of sessions where there may be several nodes.
    pub(crate) builder: RealtimeBuilder,
    pub(crate) described: Description,
}

/// What is announced of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) store: String,
    pub(crate) log: &'static str,
}

/// An address that reads well, and still leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("MONGODB_URI cannot be used")]
struct UnusableUri(#[source] metaia_realtime::mongo::UriError);

impl Ground {
    /// Opens it. An embedded store is there then; a MongoDB may come later.
    pub(crate) async fn of(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        match &config.mongodb {
            None => Self::embedded(config).await,
            Some(mongodb) => Self::shared(config, mongodb).await,
        }
    }

    async fn embedded(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let (path, limits) = (data::database(&config.data), &config.limits.realtime);
        let options = Options::durability(config.durability);
        let store = SqliteStore::open(path, options, config.retention, limits).await?;
        let builder = Realtime::builder()
            .device_store(store.log().clone())
            .log(store.log().clone());
        Ok(Self {
            store: Arc::new(store),
            builder,
            described: Description::embedded(config),
        })
    }

    async fn shared(
        config: &Config,
        mongodb: &MongoDb,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let options = mongodb
            .pool
            .into_iter()
            .fold(MongoOptions::default(), MongoOptions::pool);
        let mongo = Mongo::open(mongodb.uri.expose().trim(), options)
            .await
            .map_err(UnusableUri)?;
        let store = MongoStore::open(&mongo, config.retention, &config.limits.realtime);
        store.make_indexes();
        let builder = Realtime::builder()
            .log(store.log().clone())
            .device_store(MongoDevices::new(&mongo))
            .directory(MongoDirectory::new(&mongo));
        let deployment = timeout(GREETING, mongo.deployment()).await;
        let described = Description::shared(mongodb, deployment.ok().and_then(Result::ok));
        Ok(Self {
            store: Arc::new(store),
            builder,
            described,
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
        let file = data::database(&config.data);
        Self {
            store: format!("{} (SQLite, durability {durability})", file.display()),
            log: "in the same file",
        }
    }

    pub(crate) fn shared(mongodb: &MongoDb, deployment: Option<Deployment>) -> Self {
        let what = match deployment {
            Some(Deployment::ReplicaSet) => "MongoDB, a replica set",
            Some(Deployment::Standalone) => "MongoDB, one server by itself: for development",
            None => "MongoDB, which does not answer yet: see /readyz",
        };
        Self {
            store: format!("{} ({what})", mongodb.place()),
            log: "in the same database",
        }
    }
}
