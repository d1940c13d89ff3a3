//! The log in SQLite keeps the contracts, with each durability, also if its process is killed.

use std::{marker::PhantomData, path::PathBuf};

use metaia_realtime::{
    log::{Retention, SqliteLog},
    sqlite::{Durability, SqliteOptions},
    testing::{device_contract, log_contract, revocation_contract},
    values::EventId,
};

/// A kind of log that the contracts are run with.
pub(crate) trait Kind: Send + Sync + 'static {
    const DURABILITY: Durability;
}

/// The points at which a process can be told to abort.
const CRASH_POINTS: [&str; 4] = [
    "before-transaction",
    "in-transaction",
    "after-commit",
    "mid-trim",
];

/// Each commit waits for the disk.
pub(crate) struct Full;

impl Kind for Full {
    const DURABILITY: Durability = Durability::Full;
}

/// A power cut may lose the last commits, a kill may not.
pub(crate) struct Normal;

impl Kind for Normal {
    const DURABILITY: Durability = Durability::Normal;
}

/// A log in a folder. The value that created the folder removes it.
pub(crate) struct InFolder<K> {
    folder: PathBuf,
    is_owner: bool,
    kind: PhantomData<K>,
}

impl<K: Kind> InFolder<K> {
    fn new_folder() -> Self {
        let folder = std::env::temp_dir().join(format!("metaia-contract-{}", EventId::random()));
        std::fs::create_dir(&folder).unwrap();
        Self {
            folder,
            is_owner: true,
            kind: PhantomData,
        }
    }

    async fn open_log(&self, retention: Retention) -> SqliteLog {
        let options = SqliteOptions::durability(K::DURABILITY);
        SqliteLog::open_with(self.folder.join("log.db"), options, retention)
            .await
            .unwrap()
    }
}

impl<K> Drop for InFolder<K> {
    fn drop(&mut self) {
        if self.is_owner {
            std::fs::remove_dir_all(&self.folder).ok();
        }
    }
}

impl<K: Kind> log_contract::Subject for InFolder<K> {
    type Log = SqliteLog;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self::new_folder()
    }

    async fn open(&self, retention: Retention) -> SqliteLog {
        self.open_log(retention).await
    }

    async fn trim(&self, log: &SqliteLog) {
        log.trim().await.unwrap();
    }

    async fn close(&self, log: SqliteLog) {
        log.close().await;
    }
}

impl<K: Kind> log_contract::KillableSubject for InFolder<K> {
    fn address(&self) -> String {
        self.folder.to_str().unwrap().to_owned()
    }

    fn at(address: &str) -> Self {
        Self {
            folder: address.into(),
            is_owner: false,
            kind: PhantomData,
        }
    }

    /// Makes every second process abort itself, at each of the points in turn.
    fn end(&self, kill: usize) -> Option<(&'static str, String)> {
        let point = CRASH_POINTS[kill / 2 % CRASH_POINTS.len()];
        let wanted = cfg!(feature = "__crash-points") && kill % 2 == 1;
        if !wanted {
            return None;
        }
        Some(("METAIA_CRASH", format!("{point}:{}", kill / 2 + 1)))
    }
}

impl<K: Kind> device_contract::Subject for InFolder<K> {
    type Store = SqliteLog;
    const DURABLE: bool = true;
    const SHARED: bool = false;

    fn new() -> Self {
        Self::new_folder()
    }

    async fn open(&self) -> SqliteLog {
        self.open_log(Retention::DISK).await
    }

    async fn close(&self, store: SqliteLog) {
        store.close().await;
    }
}

impl<K: Kind> revocation_contract::Subject for InFolder<K> {
    type Store = SqliteLog;
    const DURABLE: bool = true;
    const SHARED: bool = false;

    fn new() -> Self {
        Self::new_folder()
    }

    async fn open(&self) -> SqliteLog {
        self.open_log(Retention::DISK).await
    }

    async fn close(&self, store: SqliteLog) {
        store.close().await;
    }
}

mod full {
    use super::{Full, InFolder};

    metaia_realtime::log_contract!(InFolder<Full>, kills: 40);
}

mod normal {
    use super::{InFolder, Normal};

    metaia_realtime::log_contract!(InFolder<Normal>, kills: 40);
}

mod devices {
    use super::{Full, InFolder};

    metaia_realtime::device_contract!(InFolder<Full>);
}

mod revocations {
    use super::{Full, InFolder};

    metaia_realtime::revocation_contract!(InFolder<Full>);
}
