//! A change and its events: both or neither, and in order.

use super::*;

pub(crate) async fn a_change_and_its_events_are_there_together_after_a_restart<S: Site>() {
    let site = S::new().await;
    let order = order();
    site.store().commit(placed(&order)).await.unwrap();
    assert_eq!(names(&site).await, ["order_update"]);
    let site = site.reopened().await;
    assert_eq!(
        site.store().order(&Whose::All, &order.id).await.unwrap(),
        Some(order.clone())
    );
    let next = order
        .assigned(
            &serde_json::from_value(json!({"tailor": "t1"})).unwrap(),
            order.created_at,
        )
        .unwrap();
    site.store()
        .commit(change(
            vec![Write::Order(next.order.clone())],
            vec![update_of(&next.order)],
            None,
        ))
        .await
        .unwrap();
    assert_eq!(names(&site).await.last().unwrap(), "order_update");
    assert_eq!(
        site.store().order(&Whose::All, &order.id).await.unwrap(),
        Some(next.order)
    );
}

pub(crate) async fn what_is_refused_leaves_neither_record_nor_event<S: Site>() {
    let site = S::new().await;
    let order = order();
    site.store().commit(placed(&order)).await.unwrap();
    let stale = change(
        vec![Write::Order(order.clone())],
        vec![update_of(&order)],
        None,
    );
    assert!(matches!(
        site.store().commit(stale).await,
        Err(CommitError::Missed)
    ));
    assert!(matches!(
        site.store().commit(placed(&order)).await,
        Err(CommitError::Missed)
    ));
    let huge =
        NewEntry::event([Room::Everyone], ("e", json!({ "x": "x".repeat(65_536) }))).unwrap();
    let huge = change(
        vec![Write::NewOrder(crate::model::testing::order())],
        vec![huge],
        None,
    );
    assert!(matches!(
        site.store().commit(huge).await,
        Err(CommitError::Event(EventError::TooLarge { .. }))
    ));
    assert_eq!(names(&site).await, ["order_update"]);
    assert_eq!(site.store().orders(all(10)).await.unwrap().items, [order]);
}

pub(crate) async fn a_position_is_known_before_the_commit<S: Site>() {
    let site = S::new().await;
    for _ in 0..3 {
        let events = vec![update_of(&order()), update_of(&order())];
        let reply: MakeReply = Box::new(|receipts| reply_of(receipts[1].position));
        let change = Change {
            events,
            reply,
            ..Change::replying(reply_of(()))
        };
        let reply = site.store().commit(change).await.unwrap();
        let head = head(&site).await;
        assert_eq!(reply, reply_of(head));
    }
    let site = site.reopened().await;
    let reply: MakeReply = Box::new(|receipts| reply_of(receipts[0].position));
    let change = Change {
        events: vec![update_of(&order())],
        reply,
        ..Change::replying(reply_of(()))
    };
    let reply = site.store().commit(change).await.unwrap();
    assert_eq!(reply, reply_of(head(&site).await));
}

pub(crate) async fn a_position_outlives_a_restart<S: Site>() {
    let site = S::new().await;
    let first = order();
    let second = order();
    for order in [&first, &second] {
        site.store().commit(placed(order)).await.unwrap();
    }
    let room = [Room::Order(first.id.clone())];
    let seen = entries(&site).await[0].position();
    let head = head(&site).await;
    let site = site.reopened().await;
    assert_eq!(self::head(&site).await, head);
    let history = site.log().history(seen.n(), &room, 10).await.unwrap();
    assert_eq!((history.head.epoch(), history.missed), (seen.epoch(), 0));
    assert!(history.entry.is_some_and(|id| seen.follows(id)));
    let page = site
        .log()
        .read(Some(&[Room::Order(second.id.clone())]), seen.n(), 10)
        .await
        .unwrap();
    assert_eq!(
        page.entries
            .iter()
            .map(|entry| entry.position())
            .collect::<Vec<_>>(),
        [head]
    );
}

pub(crate) async fn a_later_write_that_misses_takes_back_the_earlier_ones<S: Site>() {
    let site = S::new().await;
    let order = order();
    let writes = vec![Write::NewOrder(order.clone()), Write::Order(self::order())];
    let claim = claim("k", "body");
    let refused = site
        .store()
        .commit(change(writes, vec![update_of(&order)], Some(claim.clone())))
        .await;
    assert!(matches!(refused, Err(CommitError::Missed)));
    assert_eq!(
        site.store().order(&Whose::All, &order.id).await.unwrap(),
        None
    );
    assert_eq!(
        site.store().idempotency_state(&claim).await.unwrap(),
        IdempotencyState::New
    );
    assert!(names(&site).await.is_empty());
}

pub(crate) async fn many_at_once_are_logged_in_the_order_in_which_each_was_answered<S: Site>() {
    let site = S::new().await;
    let orders: Vec<Order> = (0..50).map(|_| order()).collect();
    let commits = orders.iter().map(|order| {
        let reply: MakeReply = Box::new(|receipts| reply_of(receipts[0].position.n()));
        site.store().commit(Change {
            reply,
            ..placed(order)
        })
    });
    let answers = futures_util::future::join_all(commits).await;
    let entries = entries(&site).await;
    assert_eq!(entries.len(), orders.len());
    for (order, answer) in orders.iter().zip(answers) {
        let entry = entries
            .iter()
            .find(|entry| {
                entry
                    .content()
                    .payload()
                    .as_str()
                    .contains(order.id.as_str())
            })
            .unwrap();
        assert_eq!(answer.unwrap(), reply_of(entry.n()));
    }
}

/// The condition sees the writes before it in the same change.
pub(crate) async fn a_change_that_was_decided_on_an_order_misses_once_that_moves_on<S: Site>() {
    let site = S::new().await;
    let order = order();
    let id = &order.id;
    let as_read = |version| Write::OrderAsRead {
        order: id.clone(),
        version,
    };
    let committed = async |writes| {
        let done = site.store().commit(change(writes, vec![], None)).await;
        match done {
            Ok(_) => true,
            Err(CommitError::Missed) => false,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(!committed(vec![as_read(1)]).await);
    site.store().commit(placed(&order)).await.unwrap();
    for (version, holds) in [(1, true), (0, false), (2, false), (u64::MAX >> 1, false)] {
        assert_eq!(committed(vec![as_read(version)]).await, holds, "{version}");
    }
    let moved = Order {
        version: 2,
        ..order.clone()
    };
    let move_on = || Write::Order(moved.clone());
    assert!(!committed(vec![move_on(), as_read(1)]).await);
    assert!(committed(vec![as_read(1), move_on(), as_read(2)]).await);
    assert!(!committed(vec![as_read(1)]).await);
    let stored = site.store().order(&Whose::All, id).await.unwrap();
    assert_eq!(stored, Some(moved));
}
