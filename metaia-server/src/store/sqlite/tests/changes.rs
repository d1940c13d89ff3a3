//! A change and its events: both or neither, and in one order.

use super::*;

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
async fn a_later_write_that_misses_takes_back_the_earlier_ones() {
    let fixture = Fixture::new().await;
    let order = order();
    let writes = vec![Write::NewOrder(order.clone()), Write::Order(self::order())];
    let claim = claim("k", "body");
    let refused = fixture.store.commit(change(writes, vec![update_of(&order)], Some(claim.clone()))).await;
    assert!(matches!(refused, Err(CommitError::Missed)));
    assert_eq!(fixture.store.order(&order.id).await.unwrap(), None);
    assert_eq!(fixture.store.recall(&claim).await.unwrap(), Recall::New);
    assert!(fixture.rows().await.is_empty() && fixture.logged().await.is_empty());
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
