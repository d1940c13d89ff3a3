//! Notifications, and the status of tailors.

use super::*;

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

pub(crate) async fn only_ones_own_notifications_are_marked_and_only_once<S: Site>() {
    let site = S::new().await;
    let mine = notification("u1");
    let other = notification("u2");
    let writes = [&mine, &notification("u1"), &other].map(|n| Write::NewNotification(n.clone()));
    site.store()
        .commit(change(writes.to_vec(), vec![], None))
        .await
        .unwrap();
    let u1 = user("u1");
    assert_eq!(
        site.store()
            .read_notification(&u1, other.id, None)
            .await
            .unwrap(),
        None
    );
    for _ in 0..2 {
        let (read, unread) = site
            .store()
            .read_notification(&u1, mine.id, None)
            .await
            .unwrap()
            .unwrap();
        let expected = Notification {
            read: true,
            ..mine.clone()
        };
        assert_eq!((read, unread), (expected, 1));
    }
    assert_eq!(site.store().read_all(&u1, None).await.unwrap(), 1);
    assert_eq!(site.store().read_all(&u1, None).await.unwrap(), 0);
    assert_eq!(
        names(&site).await,
        ["notification_read", "notification_read"]
    );
    let query = NotificationQuery {
        user: user("u2"),
        unread: true,
        since: None,
        page: PageRequest {
            limit: 5,
            cursor: None,
        },
    };
    let (page, unread) = site.store().notifications(query).await.unwrap();
    assert_eq!((page.items, unread), (vec![other], 1));
}

/// Returns an order of the tailor t1 with this status, changed at this time.
fn order_of_tailor(status: OrderStatus, changed_ms: i64) -> Order {
    Order {
        tailor: Some(user("t1")),
        status,
        updated_at: Timestamp::from_ms(1_700_000_000_000 + changed_ms).unwrap(),
        ..order()
    }
}

/// Sets the status of the tailor t1, and returns the rooms of the event.
async fn rooms_of_status(site: &impl Site) -> Vec<Room> {
    let status = TailorStatus {
        tailor: user("t1"),
        status: TailorAvailability::Busy,
        at: Timestamp::now(),
    };
    site.store().set_tailor_status(status, None).await.unwrap();
    let entries = entries(site).await;
    entries.last().unwrap().content().rooms().to_vec()
}

async fn store(site: &impl Site, writes: Vec<Write>) {
    let stored = site.store().commit(change(writes, vec![], None)).await;
    stored.unwrap();
}

pub(crate) async fn a_tailors_status_reaches_the_rooms_of_their_orders_under_way<S: Site>() {
    let site = S::new().await;
    let orders = OrderStatus::ALL.map(|status| order_of_tailor(status, 0));
    let mut writes: Vec<Write> = orders.iter().cloned().map(Write::NewOrder).collect();
    writes.push(Write::NewOrder(Order {
        status: OrderStatus::Ready,
        ..order()
    }));
    store(&site, writes).await;
    let mut expected = vec![Room::Role(Role::Admin)];
    let under_way = orders.iter().filter(|order| order.status.is_under_way());
    expected.extend(under_way.map(|order| Room::Order(order.id.clone())));
    let mut rooms = rooms_of_status(&site).await;
    assert_eq!(rooms.len(), 5);
    expected[1..].sort_by_key(Room::to_string);
    rooms[1..].sort_by_key(Room::to_string);
    assert_eq!(rooms, expected);
}

/// Any customer may order from a tailor: what the tailor does must not cost more because of it.
pub(crate) async fn a_tailors_status_reaches_the_200_orders_that_were_changed_last<S: Site>() {
    let site = S::new().await;
    let limit = usize::from(MAX_STATUS_ROOMS);
    let statuses = OrderStatus::ALL.into_iter();
    let statuses: Vec<_> = statuses.filter(|status| status.is_under_way()).collect();
    // Not in the order of their ids, and of every status.
    let times = (0..250_i64).map(|n| (n * 97) % 250);
    let orders = times.map(|at| order_of_tailor(statuses[at.unsigned_abs() as usize % 4], at));
    let mut orders: Vec<Order> = orders.collect();
    store(&site, orders.iter().cloned().map(Write::NewOrder).collect()).await;
    orders.sort_by_key(|order| std::cmp::Reverse(order.updated_at));
    let rooms_of = |orders: &[Order]| {
        let rooms = orders.iter().map(|order| Room::Order(order.id.clone()));
        let admins = std::iter::once(Room::Role(Role::Admin));
        admins.chain(rooms.take(limit)).collect::<Vec<_>>()
    };
    assert_eq!(rooms_of_status(&site).await, rooms_of(&orders));

    // The oldest is changed last, and the newest leaves.
    let mut oldest = orders.pop().unwrap();
    oldest.version += 1;
    oldest.updated_at = Timestamp::now();
    let newest = orders.remove(0);
    let delivered = Order {
        version: newest.version + 1,
        status: OrderStatus::Delivered,
        updated_at: Timestamp::now(),
        ..newest
    };
    store(
        &site,
        vec![Write::Order(oldest.clone()), Write::Order(delivered)],
    )
    .await;
    orders.insert(0, oldest);
    assert_eq!(rooms_of_status(&site).await, rooms_of(&orders));
}
