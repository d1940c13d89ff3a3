//! A record of another user is left out by the database: no document of it reaches this server.

use metaia_realtime::event::NotificationKind;

use super::*;
use crate::{
    model::{Notice, Notification, Payment, PaymentId, Timestamp, testing::order, testing::user},
    store::{Whose, Write, contract::change},
};

impl Fixture {
    /// Returns the statistics of a query of one document, with the index that it names.
    async fn looked_up(&self, collection: &str, filter: Document, by_id: bool) -> Document {
        let mut find = doc! { "find": collection, "filter": filter };
        if by_id {
            find.insert("hint", doc! { "_id": 1 });
        }
        let explain = doc! { "explain": find, "verbosity": "executionStats" };
        let db = self.store.mongo.database();
        let explained = db.run_command(explain).await.unwrap();
        explained.get_document("executionStats").unwrap().clone()
    }

    /// Checks that a query returns nothing, and examines at most one document for that.
    async fn returns_nothing(&self, collection: &str, filter: Document, by_id: bool) {
        let stats = self.looked_up(collection, filter, by_id).await;
        assert_eq!(stats.get_i32("nReturned").unwrap(), 0, "{stats}");
        assert!(stats.get_i32("totalKeysExamined").unwrap() <= 1, "{stats}");
        assert!(stats.get_i32("totalDocsExamined").unwrap() <= 1, "{stats}");
    }
}

fn notification() -> Notification {
    let notice = Notice {
        user: user("c1"),
        kind: NotificationKind::System,
        title: "t".into(),
        message: "m".into(),
        order: None,
    };
    Notification::new(notice, Timestamp::now())
}

/// The stranger has many records, so that an index of users would be a long way.
#[tokio::test]
async fn records_of_others_are_left_out_by_one_key() {
    let fixture = Fixture::new().await;
    indexes::create_all(&fixture.store.mongo).await.unwrap();
    let order = order();
    let id = PaymentId::random();
    let payment = Payment::open(id, &order, "order_1".into(), order.created_at);
    let notification = notification();
    let mut writes = vec![
        Write::NewOrder(order.clone()),
        Write::NewPayment(payment),
        Write::NewNotification(notification.clone()),
    ];
    writes.extend((0..30).map(|_| {
        Write::NewOrder(Order {
            customer: user("c2"),
            ..crate::model::testing::order()
        })
    }));
    let stored = fixture.store.commit(change(writes, vec![], None)).await;
    stored.unwrap();

    for whose in [
        Whose::Customer(user("c2")),
        Whose::Tailor(user("c1")),
        Whose::Courier(user("c1")),
    ] {
        let filter = filter::order(&whose, &order.id);
        fixture.returns_nothing("orders", filter, true).await;
    }
    let filter = filter::own_notification(&user("c2"), notification.id);
    fixture.returns_nothing("notifications", filter, true).await;
    let filter = filter::own_payment(&user("c2"), "order_1");
    fixture.returns_nothing("payments", filter, false).await;
}

/// An error about a document would tell that it exists.
#[tokio::test]
async fn a_document_of_another_user_that_is_no_record_is_missing() {
    let fixture = Fixture::new().await;
    let id = order().id;
    let no_order = doc! { "_id": document::id(id.as_str()), "customer": "c1", "status": "lost" };
    fixture.insert("orders", no_order).await;
    let no_payment = doc! { "razorpayOrderId": "order_1", "user": "c1" };
    fixture.insert("payments", no_payment).await;

    let own = Whose::Customer(user("c1"));
    let read = fixture.store.order(&own, &id).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let read = fixture.store.own_payment(&user("c1"), "order_1").await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");

    let other = Whose::Customer(user("c2"));
    assert_eq!(fixture.store.order(&other, &id).await.unwrap(), None);
    let read = fixture.store.own_payment(&user("c2"), "order_1").await;
    assert_eq!(read.unwrap(), None);
}

/// The old backend called the customer `user`; what a later program called `customer` counts more.
#[tokio::test]
async fn the_customer_of_a_payment_may_be_called_user() {
    let fixture = Fixture::new().await;
    for (n, (customer, expected)) in [(None, "c1"), (Some("c2"), "c2")].into_iter().enumerate() {
        let id = PaymentId::random();
        let payment = Payment::open(id, &order(), format!("order_{n}"), Timestamp::now());
        let mut stored = document::payment_document(&payment, 1);
        stored.remove("customer");
        stored.insert("user", "c1");
        if let Some(customer) = customer {
            stored.insert("customer", customer);
        }
        fixture.insert("payments", stored).await;
        for name in ["c1", "c2", "c3"] {
            let id = &payment.razorpay_order_id;
            let own = fixture.store.own_payment(&user(name), id).await.unwrap();
            assert_eq!(own.is_some(), name == expected, "{name} {customer:?}");
        }
    }
}
