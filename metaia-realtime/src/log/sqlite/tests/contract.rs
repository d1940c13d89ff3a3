//! What every log, and every store of devices, promises.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{super::SqliteLog, Folder};
use crate::{
    device::{DeviceKey, DeviceRecord, DeviceStore},
    log::{LogError, Retention},
    sqlite::{Durability, Options},
    testing::{device_contract, log_contract},
};

struct Files {
    database: PathBuf,
    folder: Option<Arc<Folder>>,
}

impl Files {
    fn make() -> Self {
        let folder = Folder::new();
        Self { database: folder.database(), folder: Some(Arc::new(folder)) }
    }

    async fn log(&self, retention: Retention) -> SqliteLog {
        let options = Options::durability(Durability::Normal);
        SqliteLog::open_with(&self.database, options, retention).await.unwrap()
    }
}

impl log_contract::Subject for Files {
    type Log = SqliteLog;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self::make()
    }

    async fn open(&self, retention: Retention) -> SqliteLog {
        self.log(retention).await
    }

    async fn trim(&self, log: &SqliteLog) {
        log.trim().await.unwrap();
    }

    async fn close(&self, log: SqliteLog) {
        log.close().await;
    }
}

impl log_contract::Shared for Files {
    fn address(&self) -> String {
        self.database.to_str().unwrap().to_owned()
    }

    fn at(address: &str) -> Self {
        Self { database: Path::new(address).to_owned(), folder: None }
    }
}

impl device_contract::Subject for Files {
    type Store = Kept;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self::make()
    }

    async fn open(&self) -> Kept {
        Kept { log: self.log(Retention::DISK).await, _folder: self.folder.clone() }
    }
}

/// The checks let go of the place while they have the store.
struct Kept {
    log: SqliteLog,
    _folder: Option<Arc<Folder>>,
}

impl DeviceStore for Kept {
    async fn load(&self, key: &DeviceKey) -> Result<Option<DeviceRecord>, LogError> {
        self.log.load(key).await
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), LogError> {
        self.log.save(records).await
    }
}

mod log {
    crate::log_contract!(super::Files, kills: 12);
}

mod devices {
    crate::device_contract!(super::Files);
}
