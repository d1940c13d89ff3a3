//! Against a real file.

use metaia_realtime::{
    EventLog, Room,
    event::{NotificationKind, OrderUpdate, PaymentStatus, TailorAvailability},
};
use serde_json::json;

use super::*;
use crate::{
    model::{
        Caller, OrderStatus, PageRequest, PaymentId,
        testing::{order, user},
    },
    store::Whose,
    store::testing::Folder,
};
use metaia_realtime::Role;

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

#[tokio::test]
async fn a_change_and_its_events_are_there_together_after_a_restart() {
    let fixture = Fixture::new().await;
    let order = order();
    fixture.store.commit(placed(&order)).await.unwrap();
    assert_eq!(fixture.logged().await, ["order_update"]);
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.store.order(&order.id).await.unwrap(), Some(order.clone()));
    assert_eq!(fixture.rows().await, [(1, "order_update".to_owned())]);
    assert!(fixture.logged().await.is_empty());
    let next =
        order.assigned(&serde_json::from_value(json!({"tailor": "t1"})).unwrap(), order.created_at).unwrap();
    fixture
        .store
        .commit(change(vec![Write::Order(next.order.clone())], vec![update_of(&next.order)], None))
        .await
        .unwrap();
    assert_eq!(fixture.logged().await, ["order_update"]);
    assert_eq!(fixture.rows().await.len(), 2);
}

#[tokio::test]
async fn what_is_refused_leaves_neither_record_nor_event() {
    let fixture = Fixture::new().await;
    let order = order();
    fixture.store.commit(placed(&order)).await.unwrap();
    let stale = change(vec![Write::Order(order.clone())], vec![update_of(&order)], None);
    assert!(matches!(fixture.store.commit(stale).await, Err(CommitError::Missed)));
    assert!(matches!(fixture.store.commit(placed(&order)).await, Err(CommitError::Missed)));
    let huge = NewEntry::event([Room::Everyone], ("e", json!({ "x": "x".repeat(65_536) }))).unwrap();
    let huge = change(vec![Write::NewOrder(crate::model::testing::order())], vec![huge], None);
    assert!(matches!(fixture.store.commit(huge).await, Err(CommitError::Event(EventError::TooLarge { .. }))));
    assert_eq!(fixture.rows().await.len(), 1);
    assert_eq!(fixture.store.orders(all(10)).await.unwrap().items, [order]);
}

#[tokio::test]
async fn a_position_is_known_before_the_commit() {
    let fixture = Fixture::new().await;
    for round in 1..=3_u64 {
        let events = vec![update_of(&order()), update_of(&order())];
        let reply: crate::store::Reply = Box::new(|receipts| Answer::success(202, receipts[1].position));
        let change = Change { events, reply, ..Change::answering(Answer::success(0, ())) };
        let answer = fixture.store.commit(change).await.unwrap();
        let head = EventLog::head(&fixture.log).await.unwrap().position;
        assert_eq!(answer, Answer::success(202, head));
        assert_eq!(head.n(), round * 2);
    }
    let fixture = fixture.reopened().await;
    let reply: crate::store::Reply = Box::new(|receipts| Answer::success(202, receipts[0].position));
    let change =
        Change { events: vec![update_of(&order())], reply, ..Change::answering(Answer::success(0, ())) };
    let answer = fixture.store.commit(change).await.unwrap();
    assert_eq!(answer, Answer::success(202, EventLog::head(&fixture.log).await.unwrap().position));
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

#[tokio::test]
async fn an_answer_is_kept_with_its_change_and_given_again() {
    let fixture = Fixture::new().await;
    let claim = claim("k1", "body");
    assert_eq!(fixture.store.recall(&claim).await.unwrap(), Recall::New);
    let answer = fixture.store.commit(change(vec![], vec![], Some(claim.clone()))).await.unwrap();
    let again = fixture.store.commit(change(
        vec![Write::NewOrder(order())],
        vec![update_of(&order())],
        Some(claim.clone()),
    ));
    assert!(matches!(again.await, Err(CommitError::Claimed)));
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.store.recall(&claim).await.unwrap(), Recall::Answered(answer));
    assert_eq!(fixture.store.recall(&self::claim("k1", "other")).await.unwrap(), Recall::Other);
    assert_eq!(fixture.store.recall(&self::claim("k2", "body")).await.unwrap(), Recall::New);
    assert!(fixture.store.orders(all(10)).await.unwrap().items.is_empty());
    assert!(fixture.rows().await.is_empty());
}

#[tokio::test]
async fn a_claim_ends_after_a_day_and_makes_room() {
    let fixture = Fixture::new().await;
    let at = Timestamp::from_ms(Timestamp::now().ms() - Claim::LIFE_MS).unwrap();
    for key in ["a", "b", "c"] {
        let old = Claim { at, ..claim(key, "old") };
        fixture.store.commit(change(vec![], vec![], Some(old))).await.unwrap();
    }
    assert_eq!(fixture.store.recall(&claim("a", "new")).await.unwrap(), Recall::New);
    fixture.store.commit(change(vec![], vec![], Some(claim("a", "new")))).await.unwrap();
    let count = fixture
        .store
        .read(|db| Ok(db.query_row("SELECT count(*) FROM idempotency", [], |r| r.get::<_, i64>(0))?));
    assert_eq!(count.await.unwrap(), 1);
}

#[tokio::test]
async fn pages_are_complete_and_disjoint() {
    let fixture = Fixture::new().await;
    let mut placed_orders: Vec<Order> = (0..25).map(|_| order()).collect();
    for order in &placed_orders {
        fixture.store.commit(placed(order)).await.unwrap();
    }
    placed_orders.sort_by(|a, b| (b.created_at, b.id.as_str()).cmp(&(a.created_at, a.id.as_str())));
    for whose in [Whose::All, Whose::Customer(user("c1"))] {
        let mut query = OrderQuery { whose, status: Some(OrderStatus::Pending), ..all(10) };
        let mut seen = Vec::new();
        loop {
            let page = fixture.store.orders(query.clone()).await.unwrap();
            seen.extend(page.items);
            query.page.cursor = page.next;
            if query.page.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, placed_orders);
    }
    for whose in [Whose::Customer(user("c2")), Whose::Tailor(user("c1")), Whose::Courier(user("c1"))] {
        let page = fixture.store.orders(OrderQuery { whose, ..all(10) }).await.unwrap();
        assert!(page.items.is_empty() && page.next.is_none());
    }
}

fn notification(of: &str) -> Notification {
    let notice = crate::model::Notice {
        user: user(of),
        kind: NotificationKind::System,
        title: "t".into(),
        message: "m".into(),
        order: None,
    };
    Notification::new(notice, Timestamp::now())
}

#[tokio::test]
async fn only_ones_own_notifications_are_marked_and_only_once() {
    let fixture = Fixture::new().await;
    let (mine, other) = (notification("u1"), notification("u2"));
    let writes = [&mine, &notification("u1"), &other].map(|n| Write::NewNotification(n.clone()));
    fixture.store.commit(change(writes.to_vec(), vec![], None)).await.unwrap();
    let u1 = user("u1");
    assert_eq!(fixture.store.read_notification(&u1, other.id).await.unwrap(), None);
    for _ in 0..2 {
        let (read, unread) = fixture.store.read_notification(&u1, mine.id).await.unwrap().unwrap();
        assert_eq!((read, unread), (Notification { read: true, ..mine.clone() }, 1));
    }
    assert_eq!(fixture.store.read_all(&u1).await.unwrap(), 1);
    assert_eq!(fixture.store.read_all(&u1).await.unwrap(), 0);
    assert_eq!(fixture.logged().await, ["notification_read", "notification_read"]);
    let query = NotificationQuery {
        user: user("u2"),
        unread: true,
        since: None,
        page: PageRequest { limit: 5, cursor: None },
    };
    let (page, unread) = fixture.store.notifications(query).await.unwrap();
    assert_eq!((page.items, unread), (vec![other], 1));
}

#[tokio::test]
async fn an_order_has_one_standing_payment() {
    let fixture = Fixture::new().await;
    let order = order();
    let payment = Payment::open(PaymentId::random(), &order, "order_1".into(), order.created_at);
    let second = Payment::open(PaymentId::random(), &order, "order_2".into(), order.created_at);
    fixture.store.commit(change(vec![Write::NewPayment(payment.clone())], vec![], None)).await.unwrap();
    let again = fixture.store.commit(change(vec![Write::NewPayment(second.clone())], vec![], None)).await;
    assert!(matches!(again, Err(CommitError::Missed)));
    let failed = payment.advanced(PaymentStatus::Failed, Some("pay_1")).unwrap().remove(0);
    let write = |p: &Payment| vec![Write::Payment { payment: p.clone(), from: PaymentStatus::Created }];
    fixture.store.commit(change(write(&failed), vec![], None)).await.unwrap();
    assert!(matches!(
        fixture.store.commit(change(write(&failed), vec![], None)).await,
        Err(CommitError::Missed)
    ));
    assert_eq!(fixture.store.payment(PaymentKey::Standing(order.id.clone())).await.unwrap(), None);
    fixture.store.commit(change(vec![Write::NewPayment(second.clone())], vec![], None)).await.unwrap();
    assert_eq!(fixture.store.payment(PaymentKey::Standing(order.id)).await.unwrap(), Some(second));
    assert_eq!(fixture.store.payment(PaymentKey::Provider("order_1".into())).await.unwrap(), Some(failed));
}

#[tokio::test]
async fn an_event_of_the_provider_is_seen_once() {
    let fixture = Fixture::new().await;
    let seen = || change(vec![Write::ProviderEvent("evt_1".into())], vec![], None);
    fixture.store.commit(seen()).await.unwrap();
    let fixture = fixture.reopened().await;
    assert!(matches!(fixture.store.commit(seen()).await, Err(CommitError::Seen)));
}

#[tokio::test]
async fn a_tailors_status_reaches_the_rooms_of_their_open_orders() {
    let fixture = Fixture::new().await;
    let open = Order { tailor: Some(user("t1")), ..order() };
    let closed = Order { status: OrderStatus::Cancelled, ..Order { tailor: Some(user("t1")), ..order() } };
    for order in [&open, &closed, &order()] {
        fixture.store.commit(change(vec![Write::NewOrder(order.clone())], vec![], None)).await.unwrap();
    }
    let status = TailorStatus { tailor: user("t1"), status: TailorAvailability::Busy, at: Timestamp::now() };
    fixture.store.set_tailor_status(status).await.unwrap();
    let page = fixture.log.read(None, 0, 10).await.unwrap();
    assert_eq!(page.entries[0].content().rooms(), [Room::Role(Role::Admin), Room::Order(open.id)]);
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
