//! Tests against a real file: the contract, and what concerns files only.

mod access;

use metaia_realtime::{
    EventLog,
    event::{PaymentFlag, PaymentStatus},
};

use super::*;
use crate::{
    model::{PageRequest, Timestamp, testing::order},
    store::{
        Write,
        contract::{Site, all, change, claim, placed, store_contract},
        name_of,
        testing::Folder,
    },
};

store_contract!(Fixture);

struct Fixture {
    folder: Folder,
    store: SqliteStore,
}

async fn open(folder: &Folder) -> SqliteStore {
    let path = folder.file("metaia.db");
    SqliteStore::open(
        path,
        SqliteOptions::default(),
        Retention::DISK,
        &Limits::default(),
    )
    .await
    .unwrap()
}

impl Site for Fixture {
    const CASES: u32 = 32;

    async fn new() -> Self {
        let folder = Folder::new();
        let store = open(&folder).await;
        Self { folder, store }
    }

    /// Opens the same file again, as a restart does.
    async fn reopened(self) -> Self {
        self.store.close().await;
        let store = open(&self.folder).await;
        Self {
            folder: self.folder,
            store,
        }
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn log(&self) -> &impl EventLog {
        self.store.log()
    }
}

/// A reader never sees the event of an order without the order.
#[tokio::test]
async fn an_order_can_be_read_as_soon_as_its_event_is_published() {
    let fixture = Fixture::new().await;
    let mut changes = fixture.store.log().changes();
    let order = order();
    let store = fixture.store.clone();
    let (committed, ()) = futures_util::join!(store.commit(placed(&order)), async {
        changes.changed().await.unwrap();
        assert_eq!(
            fixture
                .store
                .order(&Whose::All, &order.id)
                .await
                .unwrap()
                .as_ref(),
            Some(&order)
        );
    });
    committed.unwrap();
}

/// Copies the files as they are when the reply arrives: what `kill -9` would leave.
#[tokio::test]
async fn what_was_answered_outlives_the_process() {
    let fixture = Fixture::new().await;
    let order = order();
    let claim = claim("k", "body");
    let change = Change {
        claim: Some(claim.clone()),
        ..placed(&order)
    };
    let reply = fixture.store.commit(change).await.unwrap();
    let copy = Folder::new();
    let head = fixture.store.log().head().await.unwrap();
    for file in ["metaia.db", "metaia.db-wal", "metaia.db.mark"] {
        std::fs::copy(fixture.folder.file(file), copy.file(file)).unwrap();
    }
    let store = open(&copy).await;
    let restored = Fixture {
        folder: copy,
        store,
    };
    assert_eq!(restored.store.log().head().await.unwrap(), head);
    assert_eq!(
        restored.store.order(&Whose::All, &order.id).await.unwrap(),
        Some(order)
    );
    let page = restored.store.log().read(None, 0, 10).await.unwrap();
    assert_eq!(
        page.entries
            .iter()
            .map(|entry| entry.content().name())
            .collect::<Vec<_>>(),
        ["order_update"]
    );
    assert_eq!(
        restored.store.idempotency_state(&claim).await.unwrap(),
        IdempotencyState::Answered(reply)
    );
}

#[tokio::test]
async fn expired_claims_are_deleted() {
    let fixture = Fixture::new().await;
    for (key, age) in [
        ("a", IdempotencyClaim::LIFE_MS),
        ("b", IdempotencyClaim::LIFE_MS),
        ("c", 0),
    ] {
        let at = Timestamp::from_ms(Timestamp::now().ms() - age).unwrap();
        let claim = IdempotencyClaim {
            at,
            ..claim(key, "body")
        };
        fixture
            .store
            .commit(change(vec![], vec![], Some(claim)))
            .await
            .unwrap();
    }
    let work = |db: &Connection| {
        Ok(db.query_row("SELECT count(*) FROM idempotency", [], |row| {
            row.get::<_, i64>(0)
        })?)
    };
    assert_eq!(fixture.store.read(work).await.unwrap(), 1);
}

#[tokio::test]
async fn a_corrupt_row_is_an_error_and_never_a_wrong_row() {
    let fixture = Fixture::new().await;
    for damage in [
        "UPDATE orders SET document = '{}'",
        "UPDATE orders SET document = 'not json'",
        "UPDATE orders SET version = 9",
        "UPDATE orders SET status = 'lost'",
        "UPDATE orders SET document = json_set(document, '$.customer', 'c9')",
        "UPDATE orders SET document = json_set(document, '$.surprise', 1)",
    ] {
        let order = order();
        fixture.store.commit(placed(&order)).await.unwrap();
        let damaged = fixture
            .store
            .writer
            .write(move |db| Ok::<_, Fault>(db.execute(damage, [])?))
            .await;
        assert_eq!(damaged.unwrap(), 1);
        let read = fixture.store.order(&Whose::All, &order.id).await;
        assert!(
            matches!(read, Err(StoreError::Corrupt(_))),
            "{damage}: {read:?}"
        );
        assert!(
            matches!(
                fixture.store.orders(all(5)).await,
                Err(StoreError::Corrupt(_))
            ),
            "{damage}"
        );
        fixture
            .store
            .writer
            .write(|db| Ok::<_, Fault>(db.execute("DELETE FROM orders", [])?))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_closed_store_says_that_it_is_not_available() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    assert!(matches!(
        fixture.store.ping().await,
        Err(StoreError::Unavailable(_))
    ));
    let refused = fixture.store.commit(placed(&order())).await;
    assert!(matches!(
        refused,
        Err(CommitError::Store(StoreError::Unavailable(_)))
    ));
}

/// Copies the data folder that commit 79f6e03 has left, and opens it.
async fn earlier() -> Fixture {
    let data = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/79f6e03/sqlite/data"
    );
    let folder = Folder::new();
    for file in ["metaia.db", "metaia.db.mark"] {
        let path = std::path::Path::new(data).join(file);
        std::fs::copy(path, folder.file(file)).unwrap();
    }
    let store = open(&folder).await;
    Fixture { folder, store }
}

#[tokio::test]
async fn payments_of_an_earlier_version_are_listed_with_the_attempts_that_they_name() {
    let fixture = earlier().await;
    let page = PageRequest {
        limit: 100,
        cursor: None,
    };
    let query = PaymentQuery {
        flagged: false,
        page,
    };
    let payments = fixture.store.payments(query).await.unwrap().items;
    let mut named: Vec<_> = payments
        .iter()
        .map(|payment| (payment.status, payment.razorpay_payment_id.as_deref()))
        .collect();
    named.sort_by_key(|(status, _)| name_of(status));
    assert_eq!(
        named,
        [
            (PaymentStatus::Completed, Some("pay_completed")),
            (PaymentStatus::Created, None),
            (PaymentStatus::Failed, Some("pay_webhook")),
            (PaymentStatus::Refunded, Some("pay_webhook")),
        ]
    );
    for payment in &payments {
        let listed = payment.attempts.iter().map(|attempt| &attempt.id);
        assert!(listed.eq(payment.razorpay_payment_id.iter()), "{payment:?}");
        assert_eq!((payment.flags.len(), payment.version), (0, 1));
        let moved = Payment {
            flags: vec![PaymentFlag::LateSuccess],
            version: 2,
            ..payment.clone()
        };
        let from = moved.status;
        let write = Write::Payment {
            payment: moved,
            from,
        };
        fixture
            .store
            .commit(change(vec![write], vec![], None))
            .await
            .unwrap();
    }
    let query = PaymentQuery {
        flagged: true,
        page,
    };
    let flagged = fixture.store.payments(query).await.unwrap().items;
    assert_eq!(flagged.len(), payments.len());
}

#[tokio::test]
async fn lists_of_payments_use_an_index() {
    let fixture = Fixture::new().await;
    for condition in ["TRUE", "flagged = 1"] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT id FROM payments WHERE {condition}
             ORDER BY created_at DESC, id DESC LIMIT 2"
        );
        let plan =
            move |db: &Connection| Ok(db.query_row(&sql, [], |row| row.get::<_, String>(3))?);
        let plan = fixture.store.read(plan).await.unwrap();
        assert!(plan.contains("INDEX payments_"), "{plan}");
    }
}
