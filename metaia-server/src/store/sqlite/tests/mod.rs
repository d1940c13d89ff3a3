//! Against a real file.

mod changes;
mod claims;
mod damage;
mod lists;
mod records;

use metaia_realtime::{
    EventError, EventLog, NewEntry, Role, Room,
    event::{NotificationKind, OrderUpdate, PaymentStatus, TailorAvailability},
};
use serde_json::json;

use super::*;
use crate::{
    model::{
        Caller, OrderStatus, PageRequest, PaymentId, Timestamp,
        testing::{order, user},
    },
    store::{Whose, Write, testing::Folder},
};

struct Fixture {
    folder: Folder,
    log: MemoryLog,
    store: SqliteStore,
}

async fn open(folder: &Folder, log: MemoryLog) -> SqliteStore {
    let options = Options::default();
    SqliteStore::open(folder.file("metaia.db"), options, log, &Limits::default()).await.unwrap()
}

impl Fixture {
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

    async fn logged(&self) -> Vec<String> {
        let page = self.log.read(None, 0, 1_000).await.unwrap();
        page.entries.iter().map(|entry| entry.content().name().to_owned()).collect()
    }

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

fn update_of(order: &Order) -> NewEntry {
    let rooms = OrderUpdate::rooms(&order.id, &order.customer, order.tailor.as_ref(), None);
    NewEntry::event(rooms, ("order_update", order)).unwrap()
}

fn change(writes: Vec<Write>, events: Vec<NewEntry>, claim: Option<Claim>) -> Change {
    Change { writes, events, claim, ..Change::answering(Answer::success(200, "ok").of_version(7)) }
}

fn placed(order: &Order) -> Change {
    change(vec![Write::NewOrder(order.clone())], vec![update_of(order)], None)
}

fn claim(key: &str, body: &str) -> Claim {
    Claim::new(&Caller::user(user("c1"), Role::Customer), "POST /api/orders", key, &body)
}

fn all(limit: u16) -> OrderQuery {
    OrderQuery { whose: Whose::All, status: None, page: PageRequest { limit, cursor: None } }
}
