//! Services over a real store, and what they put into the log.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventLog as _, JwtAuthenticator, Limits, Realtime, Role, SqliteLog, log::Retention, sqlite::Options,
};
use serde_json::Value;

use super::{PaymentSettings, Services};
use crate::{
    model::Caller,
    payment::{NewPaymentOrder, PaymentProvider, ProviderError},
    policy::StoreAccess,
    secrets::Secret,
    store::{SqliteStore, Store as _, testing::Folder},
};

/// The secret of every token.
pub(crate) const JWT_SECRET: &str = "a secret of the tests, long enough";
/// Signs checkouts.
pub(crate) const KEY_SECRET: &str = "key secret";
/// Signs webhooks.
pub(crate) const WEBHOOK_SECRET: &str = "webhook secret";

/// A provider that opens everything, and counts.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    opened: AtomicU32,
    pub(crate) refuses: std::sync::atomic::AtomicBool,
}

impl Provider {
    pub(crate) fn opened(&self) -> u32 {
        self.opened.load(Ordering::SeqCst)
    }
}

impl PaymentProvider for Provider {
    fn open<'a>(&'a self, order: NewPaymentOrder<'a>) -> BoxFuture<'a, Result<String, ProviderError>> {
        let n = self.opened.fetch_add(1, Ordering::SeqCst);
        let refused = self.refuses.load(Ordering::SeqCst);
        Box::pin(async move {
            if refused {
                return Err(ProviderError::Unavailable("down".into()));
            }
            Ok(format!("order_{n}_{}", order.amount))
        })
    }
}

/// A marketplace of its own.
pub(crate) struct World {
    folder: Folder,
    pub(crate) log: SqliteLog,
    pub(crate) store: SqliteStore,
    pub(crate) provider: Arc<Provider>,
    pub(crate) realtime: Realtime,
    pub(crate) services: Services,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::open(Folder::new()).await
    }

    async fn open(folder: Folder) -> Self {
        let (path, limits) = (folder.file("metaia.db"), Limits::default());
        let store = SqliteStore::open(path, Options::default(), Retention::DISK, &limits).await.unwrap();
        let log = store.log().clone();
        let realtime = Realtime::builder()
            .authenticator(JwtAuthenticator::hs256(JWT_SECRET).unwrap())
            .order_access(StoreAccess::new(Arc::new(store.clone())))
            .log(log.clone());
        let provider = Arc::new(Provider::default());
        let payments = PaymentSettings {
            provider: provider.clone(),
            key_id: "rzp_test".into(),
            key_secret: Secret::from(KEY_SECRET),
            webhook_secret: Some(Secret::from(WEBHOOK_SECRET)),
        };
        let realtime = realtime.build().await.unwrap();
        let services = Services::new(Arc::new(store.clone()), realtime.clone(), payments);
        Self { folder, log, store, provider, realtime, services }
    }

    /// As after a restart: the same file, everything else new.
    pub(crate) async fn restarted(self) -> Self {
        self.store.close().await;
        Self::open(self.folder).await
    }

    /// What has been logged after `n`: the name, the rooms, the payload.
    pub(crate) async fn logged_after(&self, n: u64) -> Vec<(String, Vec<String>, Value)> {
        let page = self.log.read(None, n, 1_000).await.unwrap();
        let entries = page.entries.iter().map(|entry| entry.content());
        entries
            .map(|entry| {
                let rooms = entry.rooms().iter().map(ToString::to_string).collect();
                let payload = serde_json::from_str(entry.payload().as_str()).unwrap();
                (entry.name().to_owned(), rooms, payload)
            })
            .collect()
    }

    /// The number of the last entry.
    pub(crate) async fn head(&self) -> u64 {
        self.log.head().await.unwrap().position.n()
    }
}

/// Somebody.
pub(crate) fn caller(role: Role, user: &str) -> Caller {
    Caller::user(user.parse().unwrap(), role)
}
