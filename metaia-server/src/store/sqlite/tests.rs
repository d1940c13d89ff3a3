//! Against a real file: the contract, and what only files have.

use metaia_realtime::EventLog;

use super::*;
use crate::{
    model::{Timestamp, testing::order},
    store::{
        contract::{Site, all, change, claim, placed, store_contract},
        testing::Folder,
    },
};

store_contract!(Fixture);

struct Fixture {
    folder: Folder,
    log: MemoryLog,
    store: SqliteStore,
}

async fn open(folder: &Folder, log: MemoryLog) -> SqliteStore {
    let options = Options::default();
    SqliteStore::open(folder.file("metaia.db"), options, log, &Limits::default()).await.unwrap()
}

impl Site for Fixture {
    async fn new() -> Self {
        let (folder, log) = (Folder::new(), MemoryLog::default());
        let store = open(&folder, log.clone()).await;
        Self { folder, log, store }
    }

    /// As after a restart: the same file, a new log.
    async fn reopened(self) -> Self {
        self.store.close().await;
        let log = MemoryLog::default();
        let store = open(&self.folder, log.clone()).await;
        Self { folder: self.folder, log, store }
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn log(&self) -> &impl EventLog {
        &self.log
    }
}

impl Fixture {
    async fn rows(&self) -> Vec<(i64, String)> {
        let sql = "SELECT n, name FROM event ORDER BY n";
        let work = move |db: &Connection| {
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        self.store.read(work).await.unwrap()
    }
}

#[tokio::test]
async fn many_at_once_are_logged_in_the_order_of_their_rows() {
    let fixture = Fixture::new().await;
    let orders: Vec<Order> = (0..50).map(|_| order()).collect();
    let commits = orders.iter().map(|order| fixture.store.commit(placed(order)));
    assert!(futures_util::future::join_all(commits).await.iter().all(Result::is_ok));
    let page = fixture.log.read(None, 0, 100).await.unwrap();
    let logged: Vec<_> = page.entries.iter().map(|e| e.content().id().to_bytes()).collect();
    let work = |db: &Connection| {
        let mut statement = db.prepare("SELECT id FROM event ORDER BY n")?;
        let rows = statement.query_map([], |row| row.get::<_, [u8; 16]>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    };
    assert_eq!(fixture.store.read(work).await.unwrap(), logged);
}

/// What `kill -9` leaves: the file and its log as they are when the answer comes.
#[tokio::test]
async fn what_was_answered_outlives_the_process() {
    let fixture = Fixture::new().await;
    let (order, claim) = (order(), claim("k", "body"));
    let change = Change { claim: Some(claim.clone()), ..placed(&order) };
    let answer = fixture.store.commit(change).await.unwrap();
    let grave = Folder::new();
    for file in ["metaia.db", "metaia.db-wal"] {
        std::fs::copy(fixture.folder.file(file), grave.file(file)).unwrap();
    }
    let log = MemoryLog::default();
    let store = open(&grave, log.clone()).await;
    let risen = Fixture { folder: grave, log, store };
    assert_eq!(risen.store.order(&order.id).await.unwrap(), Some(order));
    assert_eq!(risen.rows().await, [(1, "order_update".to_owned())]);
    assert_eq!(risen.store.recall(&claim).await.unwrap(), Recall::Answered(answer));
}

#[tokio::test]
async fn ended_claims_make_room() {
    let fixture = Fixture::new().await;
    for (key, age) in [("a", Claim::LIFE_MS), ("b", Claim::LIFE_MS), ("c", 0)] {
        let at = Timestamp::from_ms(Timestamp::now().ms() - age).unwrap();
        let claim = Claim { at, ..claim(key, "body") };
        fixture.store.commit(change(vec![], vec![], Some(claim))).await.unwrap();
    }
    let work = |db: &Connection| {
        Ok(db.query_row("SELECT count(*) FROM idempotency", [], |row| row.get::<_, i64>(0))?)
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
        let damaged = fixture.store.writer.write(move |db| Ok::<_, Fault>(db.execute(damage, [])?)).await;
        assert_eq!(damaged.unwrap(), 1);
        let read = fixture.store.order(&order.id).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{damage}: {read:?}");
        assert!(matches!(fixture.store.orders(all(5)).await, Err(StoreError::Corrupt(_))), "{damage}");
        fixture.store.writer.write(|db| Ok::<_, Fault>(db.execute("DELETE FROM orders", [])?)).await.unwrap();
    }
}

#[tokio::test]
async fn a_closed_store_says_that_it_is_not_available() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    assert!(matches!(fixture.store.ping().await, Err(StoreError::Unavailable(_))));
    let refused = fixture.store.commit(placed(&order())).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))));
}
