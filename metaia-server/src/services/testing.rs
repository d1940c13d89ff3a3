//! Services on a real store, and the entries that they put into its log.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventLog as _, JwtAuthenticator, Limits, Realtime, Role, SqliteLog,
    log::{Entry, Retention},
    mongo::{self, Mongo, MongoLog},
    sqlite,
    testing::mongod::Mongod,
};
use mongodb::bson::{Binary, DateTime, Document, doc, spec::BinarySubtype};
use serde::Serialize;
use serde_json::Value;

use super::{PaymentSettings, Services};
use crate::{
    auth::{policy::StoreAccess, secrets::Secret},
    model::Caller,
    payment::{NewPaymentOrder, PaymentProvider, ProviderError},
    store::{IdempotencyClaim, MongoStore, SqliteStore, Store, StoredReply, testing::Folder},
};

/// The secret that signs every token.
pub(crate) const JWT_SECRET: &str = "a secret of the tests, long enough";
/// The secret that signs checkouts.
pub(crate) const KEY_SECRET: &str = "key secret";
/// The secret that signs webhooks.
pub(crate) const WEBHOOK_SECRET: &str = "webhook secret";

/// A provider that opens every payment and counts them, or refuses.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    opened: AtomicU32,
    refuses: AtomicBool,
}

impl Provider {
    pub(crate) fn opened(&self) -> u32 {
        self.opened.load(Ordering::SeqCst)
    }

    /// Sets whether every payment is refused.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }
}

impl PaymentProvider for Provider {
    fn open<'a>(
        &'a self,
        order: NewPaymentOrder<'a>,
    ) -> BoxFuture<'a, Result<String, ProviderError>> {
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

/// The kind of store under a marketplace.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On {
    /// An SQLite file of its own.
    Embedded,
    /// A database of its own, in a replica set that all tests share.
    MongoDb,
}

/// The part of a marketplace that outlives a restart.
enum Place {
    Folder(Folder),
    Uri(String),
}

/// The log of either store.
#[derive(Clone)]
pub(crate) enum Log {
    Embedded(SqliteLog),
    MongoDb(MongoLog),
}

/// A marketplace of one test.
pub(crate) struct World {
    place: Place,
    pub(crate) log: Log,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) realtime: Realtime,
    pub(crate) services: Services,
}

impl World {
    pub(crate) async fn new(on: On) -> Self {
        Self::open(match on {
            On::Embedded => Place::Folder(Folder::new()),
            On::MongoDb => Place::Uri(Mongod::replica_set().uri_of_new_database()),
        })
        .await
    }

    async fn open(place: Place) -> Self {
        let (store, log) = opened(&place).await;
        let realtime = Realtime::builder()
            .authenticator(JwtAuthenticator::hs256(JWT_SECRET).unwrap())
            .order_access(StoreAccess::new(Arc::clone(&store)));
        let realtime = match &log {
            Log::Embedded(log) => realtime.log(log.clone()),
            Log::MongoDb(log) => realtime.log(log.clone()),
        };
        let provider = Arc::new(Provider::default());
        let realtime = realtime.build().await.unwrap();
        let services = services_on(Arc::clone(&store), &realtime, &provider);
        Self {
            place,
            log,
            store,
            provider,
            realtime,
            services,
        }
    }

    /// Returns the services of another node: the same records, reached through `store`.
    pub(crate) fn another_node(&self, store: Arc<dyn Store>) -> Services {
        services_on(store, &self.realtime, &self.provider)
    }

    /// Restarts the marketplace: the same records, everything else new.
    pub(crate) async fn restarted(self) -> Self {
        self.store.close().await;
        Self::open(self.place).await
    }

    /// Stores a reply of status 201 and version 1, in the form in which every version stored it.
    pub(crate) async fn insert_reply(&self, claim: &IdempotencyClaim, reply: &StoredReply) {
        let StoredReply {
            status,
            body,
            version,
        } = reply;
        let version = version.map(u64::cast_signed);
        match &self.place {
            Place::Folder(folder) => {
                let sql = "INSERT INTO idempotency (scope, key, digest, status, body, version, at)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let IdempotencyClaim {
                    scope,
                    key,
                    digest,
                    at,
                } = claim;
                let database = rusqlite::Connection::open(folder.file("metaia.db")).unwrap();
                let row = rusqlite::params![scope, key, digest, status, body, version, at.ms()];
                database.execute(sql, row).unwrap();
            }
            Place::Uri(uri) => {
                let subtype = BinarySubtype::Generic;
                let bytes = claim.digest.to_vec();
                let document = doc! {
                    "_id": format!("{}\n{}", claim.scope, claim.key),
                    "digest": Binary { subtype, bytes },
                    "status": i32::from(*status),
                    "body": body,
                    "version": version,
                    "at": DateTime::from_millis(claim.at.ms()),
                };
                insert(uri, "idempotency", document).await;
            }
        }
    }

    /// Inserts a document as another program would.
    ///
    /// # Panics
    /// Panics for the embedded store, which no other program writes.
    pub(crate) async fn insert_foreign(&self, collection: &str, document: Document) {
        let Place::Uri(uri) = &self.place else {
            panic!("no other program writes the embedded store");
        };
        insert(uri, collection, document).await;
    }

    /// Makes a payment one that cannot be read. Its status and its order stay as they are.
    pub(crate) async fn damage_payment(&self, razorpay_order_id: &str) {
        let damaged = match &self.place {
            Place::Folder(folder) => {
                let sql = "UPDATE payments SET document = '{}' WHERE provider_order = ?1";
                let database = rusqlite::Connection::open(folder.file("metaia.db")).unwrap();
                database.execute(sql, [razorpay_order_id]).unwrap() as u64
            }
            Place::Uri(uri) => {
                let client = mongodb::Client::with_uri_str(uri).await.unwrap();
                let database = client.default_database().unwrap();
                let payments = database.collection::<Document>("payments");
                let one = doc! { "razorpayOrderId": razorpay_order_id };
                let damage = doc! { "$set": { "amount": "much" } };
                let updated = payments.update_one(one, damage).await.unwrap();
                updated.modified_count
            }
        };
        assert_eq!(damaged, 1);
    }

    /// Returns the length of the body that is stored under the key of a claim.
    pub(crate) async fn stored_reply_bytes(&self, claim: &IdempotencyClaim) -> i64 {
        match &self.place {
            Place::Folder(folder) => {
                let sql = "SELECT length(body) FROM idempotency WHERE scope = ?1 AND key = ?2";
                let database = rusqlite::Connection::open(folder.file("metaia.db")).unwrap();
                let key = rusqlite::params![claim.scope, claim.key];
                database.query_row(sql, key, |row| row.get(0)).unwrap()
            }
            Place::Uri(uri) => {
                let client = mongodb::Client::with_uri_str(uri).await.unwrap();
                let database = client.default_database().unwrap();
                let replies = database.collection::<Document>("idempotency");
                let id = format!("{}\n{}", claim.scope, claim.key);
                let stored = replies.find_one(doc! { "_id": id }).await.unwrap().unwrap();
                stored.get_str("body").unwrap().len() as i64
            }
        }
    }

    /// Returns the name, the rooms and the payload of each entry after number `n`.
    pub(crate) async fn logged_after(&self, n: u64) -> Vec<(String, Vec<String>, Value)> {
        let entries = self.log.entries_after(n).await;
        let entries = entries.iter().map(|entry| entry.content());
        entries
            .map(|entry| {
                let rooms = entry.rooms().iter().map(ToString::to_string).collect();
                let payload = serde_json::from_str(entry.payload().as_str()).unwrap();
                (entry.name().to_owned(), rooms, payload)
            })
            .collect()
    }

    /// Returns the number of the last entry.
    pub(crate) async fn head(&self) -> u64 {
        self.log.head_n().await
    }
}

impl Log {
    /// Returns the number of the last entry.
    pub(crate) async fn head_n(&self) -> u64 {
        let head = match self {
            Self::Embedded(log) => log.head().await,
            Self::MongoDb(log) => log.head().await,
        };
        head.unwrap().position.n()
    }

    pub(crate) async fn entries_after(&self, n: u64) -> Vec<Arc<Entry>> {
        let page = match self {
            Self::Embedded(log) => log.read(None, n, 1_000).await,
            Self::MongoDb(log) => log.read(None, n, 1_000).await,
        };
        page.unwrap().entries
    }
}

async fn insert(uri: &str, collection: &str, document: Document) {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let database = client.default_database().unwrap();
    let documents = database.collection::<Document>(collection);
    documents.insert_one(document).await.unwrap();
}

fn services_on(store: Arc<dyn Store>, realtime: &Realtime, provider: &Arc<Provider>) -> Services {
    let payments = PaymentSettings {
        provider: provider.clone(),
        key_id: "rzp_test".into(),
        key_secret: Secret::from(KEY_SECRET),
        webhook_secret: Some(Secret::from(WEBHOOK_SECRET)),
    };
    Services::new(store, realtime.clone(), payments)
}

async fn opened(place: &Place) -> (Arc<dyn Store>, Log) {
    let limits = Limits::default();
    match place {
        Place::Folder(folder) => {
            let options = sqlite::SqliteOptions::default();
            let file = folder.file("metaia.db");
            let store = SqliteStore::open(file, options, Retention::DISK, &limits)
                .await
                .unwrap();
            let log = Log::Embedded(store.log().clone());
            (Arc::new(store), log)
        }
        Place::Uri(uri) => {
            let mongo = Mongo::open(uri, mongo::MongoOptions::default())
                .await
                .unwrap();
            let store = MongoStore::open(&mongo, Retention::DISK, &limits);
            store.log().ready().await.unwrap();
            let log = Log::MongoDb(store.log().clone());
            (Arc::new(store), log)
        }
    }
}

/// Makes two tests of each function: one per kind of store.
macro_rules! on_both_stores {
    ($of:ident: $($name:ident),+ $(,)?) => {
        mod embedded {
            $(
                #[tokio::test]
                async fn $name() {
                    let on = $crate::services::testing::On::Embedded;
                    super::$name(super::$of::new(on).await).await;
                }
            )+
        }
        mod mongodb {
            $(
                #[tokio::test]
                async fn $name() {
                    let on = $crate::services::testing::On::MongoDb;
                    super::$name(super::$of::new(on).await).await;
                }
            )+
        }
    };
}
pub(crate) use on_both_stores;

/// Returns a reply with this value as its body.
pub(crate) fn reply_of<T: Serialize>(value: &T) -> StoredReply {
    StoredReply {
        status: 299,
        body: serde_json::to_string(value).unwrap(),
        version: None,
    }
}

/// Returns a caller with this role.
pub(crate) fn caller(role: Role, user: &str) -> Caller {
    Caller::user(user.parse().unwrap(), role)
}
