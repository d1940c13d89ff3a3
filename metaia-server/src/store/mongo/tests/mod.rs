//! Tests against a real server: the contract, and what concerns documents only.

mod access;
mod differential;
mod foreign;
mod foreign_payments;

use metaia_realtime::{
    EventLog, Limits,
    log::Retention,
    mongo::{Mongo, MongoOptions},
    testing::mongod::Mongod,
};
use mongodb::bson::{Document, doc};

use super::{MongoStore, document, filter, indexes};
use crate::{
    model::Order,
    store::{
        NotificationQuery, OrderQuery, Store, StoreError,
        contract::{Site, store_contract},
    },
};

store_contract!(Fixture);

/// A new database in a replica set.
struct Fixture {
    uri: String,
    store: MongoStore,
}

impl Fixture {
    async fn at(uri: String) -> Self {
        let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
        let store = MongoStore::open(&mongo, Retention::DISK, &Limits::default());
        store.log.ready().await.unwrap();
        Self { uri, store }
    }

    /// Returns what a query of a list costs.
    async fn explained(&self, collection: &str, filter: Document) -> Document {
        let sort = filter::newest_first();
        let find = doc! { "find": collection, "filter": filter, "sort": sort };
        let explain = doc! { "explain": find, "verbosity": "executionStats" };
        let db = self.store.mongo.database();
        let explained = db.run_command(explain).await.unwrap();
        explained.get_document("executionStats").unwrap().clone()
    }

    /// Returns the one document that matches.
    async fn find(&self, collection: &str, filter: Document) -> Document {
        let documents = self.store.mongo.database().collection(collection);
        documents.find_one(filter).await.unwrap().unwrap()
    }

    /// Inserts a document as another program would.
    async fn insert(&self, collection: &str, document: Document) {
        self.store
            .mongo
            .database()
            .collection(collection)
            .insert_one(document)
            .await
            .unwrap();
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

#[tokio::test]
async fn indexes_are_created_and_can_be_created_again() {
    let fixture = Fixture::new().await;
    for _ in 0..2 {
        indexes::create_all(&fixture.store.mongo).await.unwrap();
    }
    let names = fixture
        .store
        .mongo
        .database()
        .collection::<Document>("orders")
        .list_index_names()
        .await
        .unwrap();
    assert_eq!(names.len(), 8, "{names:?}");
}

/// Lists and counts use an index: they examine no more documents than they return.
#[tokio::test]
async fn frequent_queries_use_an_index() {
    use crate::{
        model::testing::{order, user},
        store::{
            Whose, Write,
            contract::{all, change},
        },
    };
    let fixture = Fixture::new().await;
    indexes::create_all(&fixture.store.mongo).await.unwrap();
    let orders = (0..60).map(|n| Order {
        customer: user(if n % 20 == 0 { "c9" } else { "c1" }),
        ..order()
    });
    fixture
        .store
        .commit(change(orders.map(Write::NewOrder).collect(), vec![], None))
        .await
        .unwrap();
    let query = OrderQuery {
        whose: Whose::Customer(user("c9")),
        ..all(10)
    };
    let stats = fixture.explained("orders", filter::orders(&query)).await;
    assert!(stats.get_i32("totalKeysExamined").unwrap() <= 4, "{stats}");
    assert_eq!(stats.get_i32("totalDocsExamined").unwrap(), 3, "{stats}");
}

/// A tailor may have any number of orders, under way or not.
#[tokio::test]
async fn the_orders_of_a_tailors_status_are_read_from_an_index_alone() {
    use crate::{
        model::{
            OrderStatus, Timestamp,
            testing::{order, user},
        },
        store::{Write, contract::change},
    };
    let fixture = Fixture::new().await;
    indexes::create_all(&fixture.store.mongo).await.unwrap();
    let tailor = "650000000900000000000000";
    let orders = (0..600_i64).map(|n| Order {
        tailor: Some(user(tailor)),
        status: OrderStatus::ALL[n.unsigned_abs() as usize % 7],
        updated_at: Timestamp::from_ms(n).unwrap(),
        ..order()
    });
    let writes = orders.map(Write::NewOrder).collect();
    let stored = fixture.store.commit(change(writes, vec![], None)).await;
    stored.unwrap();
    let find = doc! {
        "find": "orders",
        "filter": filter::under_way(tailor),
        "sort": filter::last_changed_first(),
        "limit": 20,
        "projection": { "tailor": 1, "status": 1, "updatedAt": 1 },
    };
    let explain = doc! { "explain": find, "verbosity": "executionStats" };
    let db = fixture.store.mongo.database();
    let explained = db.run_command(explain).await.unwrap();
    let stats = explained.get_document("executionStats").unwrap();
    assert_eq!(stats.get_i32("nReturned").unwrap(), 20, "{stats}");
    // One more of each status, in both forms of the tailor's id, to merge them.
    assert!(stats.get_i32("totalKeysExamined").unwrap() <= 36, "{stats}");
    assert_eq!(stats.get_i32("totalDocsExamined").unwrap(), 0, "{stats}");
}

#[tokio::test]
async fn payments_that_need_a_person_are_found_by_an_index() {
    use crate::{
        model::{PageRequest, Payment, testing::order},
        store::{PaymentQuery, Write, contract::change},
    };
    use metaia_realtime::event::PaymentFlag;
    let fixture = Fixture::new().await;
    indexes::create_all(&fixture.store.mongo).await.unwrap();
    let payments = (0..60).map(|n| {
        let mut payment: Payment = foreign::payment(&order());
        if n % 20 == 0 {
            payment.flags.push(PaymentFlag::SecondCapture);
        }
        payment
    });
    let writes = payments.map(Write::NewPayment).collect();
    fixture
        .store
        .commit(change(writes, vec![], None))
        .await
        .unwrap();
    let page = PageRequest {
        limit: 10,
        cursor: None,
    };
    let flagged = PaymentQuery {
        flagged: true,
        page,
    };
    let stats = fixture
        .explained("payments", filter::payments(flagged))
        .await;
    assert!(stats.get_i32("totalKeysExamined").unwrap() <= 4, "{stats}");
    assert_eq!(stats.get_i32("totalDocsExamined").unwrap(), 3, "{stats}");
}

/// A standalone server keeps the contract, too.
mod standalone {
    use super::*;

    struct Alone(Fixture);

    impl Site for Alone {
        const CASES: u32 = 4;

        async fn new() -> Self {
            Self(Fixture::at(Mongod::standalone().uri_of_new_database()).await)
        }

        async fn reopened(self) -> Self {
            Self(self.0.reopened().await)
        }

        fn store(&self) -> &dyn Store {
            self.0.store()
        }

        fn log(&self) -> &impl EventLog {
            self.0.store.log()
        }
    }

    store_contract!(Alone);
}
