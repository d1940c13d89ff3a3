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

pub(crate) async fn a_tailors_status_reaches_the_rooms_of_their_open_orders<S: Site>() {
    let site = S::new().await;
    let open = Order {
        tailor: Some(user("t1")),
        ..order()
    };
    let closed = Order {
        status: OrderStatus::Cancelled,
        ..Order {
            tailor: Some(user("t1")),
            ..order()
        }
    };
    for order in [&open, &closed, &order()] {
        site.store()
            .commit(change(vec![Write::NewOrder(order.clone())], vec![], None))
            .await
            .unwrap();
    }
    let status = TailorStatus {
        tailor: user("t1"),
        status: TailorAvailability::Busy,
        at: Timestamp::now(),
    };
    site.store().set_tailor_status(status, None).await.unwrap();
    assert_eq!(
        entries(&site).await[0].content().rooms(),
        [Room::Role(Role::Admin), Room::Order(open.id)]
    );
}
