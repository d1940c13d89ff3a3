//! Documents of other programs: the old backend's are served, and documents that are no records do
//! no harm.

use mongodb::{
    IndexModel,
    bson::{Bson, DateTime, oid::ObjectId},
    options::IndexOptions,
};
use serde_json::json;

use super::*;
use crate::{
    model::{OrderStatus, PageRequest, Payment, PaymentId, Timestamp, testing::order},
    store::{
        CommitError, Whose, Write,
        contract::{all, change, claim, update_of},
    },
};

pub(super) const CUSTOMER: &str = "60d5f48e1c9d440000000001";
pub(super) const OLD: &str = "60d5f48e1c9d4400000000aa";

pub(super) fn oid(text: &str) -> ObjectId {
    ObjectId::parse_str(text).unwrap()
}

/// An order as the old backend's mongoose stored it.
fn old_order() -> Document {
    doc! {
        "_id": oid(OLD),
        "orderNumber": "ORD-1624634510-42",
        "customer": oid(CUSTOMER),
        "tailor": oid("60d5f48e1c9d440000000002"),
        "items": [{
            "_id": oid("60d5f48e1c9d440000000003"),
            "garment": "Sherwani",
            "quantity": 1,
            "price": 4999.0,
            "measurements": { "chest": 40, "length": "42 in", "notes": { "a": 1 } },
            "design": { "collar": "mandarin" },
        }],
        "status": "in_progress",
        "deliveryAddress": { "street": "12 Brigade Road" },
        "paymentStatus": "paid",
        "createdAt": DateTime::from_millis(1_624_634_510_000),
        "updatedAt": DateTime::from_millis(1_624_634_520_000),
        "__v": 3,
    }
}

pub(super) fn payment(order: &Order) -> Payment {
    let id = PaymentId::random();
    Payment::open(id, order, format!("order_{id}"), order.created_at)
}

fn of_customer() -> OrderQuery {
    OrderQuery {
        whose: Whose::Customer(CUSTOMER.parse().unwrap()),
        ..all(10)
    }
}

#[tokio::test]
async fn an_order_of_the_old_backend_is_served_and_moved_on() {
    let fixture = Fixture::new().await;
    fixture.insert("orders", old_order()).await;
    let store = &fixture.store;
    let id = OLD.parse().unwrap();
    let read = store.order(&Whose::All, &id).await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(&read).unwrap(),
        json!({
            "_id": OLD, "orderNumber": "ORD-1624634510-42", "customer": CUSTOMER,
            "tailor": "60d5f48e1c9d440000000002", "deliveryPartner": null, "amount": 4999,
            "currency": "INR",
            "items": [{ "garment": "Sherwani", "quantity": 1, "price": 4999,
                "measurements": { "chest": 40, "length": "42 in" } }],
            "status": "in_progress", "version": 1,
            "createdAt": "2021-06-25T15:21:50.000Z", "updatedAt": "2021-06-25T15:22:00.000Z",
        })
    );
    assert_eq!(
        store.orders(of_customer()).await.unwrap().items,
        std::slice::from_ref(&read)
    );
    for to in [OrderStatus::Ready, OrderStatus::OutForDelivery] {
        let order = store.order(&Whose::All, &id).await.unwrap().unwrap();
        let next = order
            .moved(metaia_realtime::Role::Admin, to, Timestamp::now())
            .unwrap();
        let change = change(
            vec![Write::Order(next.clone())],
            vec![update_of(&next)],
            None,
        );
        store.commit(change).await.unwrap();
        assert_eq!(store.order(&Whose::All, &id).await.unwrap(), Some(next));
    }
    let stored = store
        .mongo
        .database()
        .collection::<Document>("orders")
        .find_one(doc! {})
        .await
        .unwrap()
        .unwrap();
    let mut expected = old_order();
    expected.extend(
        doc! { "status": "out_for_delivery", "version": 3_i64, "deliveryPartner": Bson::Null,
        "updatedAt": stored.get("updatedAt").unwrap().clone() },
    );
    assert_eq!(
        stored.iter().collect::<std::collections::BTreeMap<_, _>>(),
        expected.iter().collect(),
        "what others wrote beside it stays"
    );
}

#[tokio::test]
async fn missing_members_of_an_order_have_defaults() {
    let fixture = Fixture::new().await;
    let bare = doc! {
        "_id": oid(OLD), "customer": CUSTOMER, "status": "pending", "createdAt": "yesterday",
        "items": "none", "amount": "12", "version": "x", "tailor": 7, "currency": 5,
        "orderNumber": 9,
    };
    fixture.insert("orders", bare).await;
    let read = fixture
        .store
        .order(&Whose::All, &OLD.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            read.order_number.to_string().as_str(),
            read.amount,
            &*read.currency,
            read.version
        ),
        (OLD, 0, "INR", 1)
    );
    assert_eq!(read.created_at.to_string(), "2021-06-25T15:21:50.000Z");
    let next = read
        .moved(
            metaia_realtime::Role::Admin,
            OrderStatus::Confirmed,
            Timestamp::now(),
        )
        .unwrap();
    fixture
        .store
        .commit(change(vec![Write::Order(next)], vec![], None))
        .await
        .unwrap();
    assert_eq!(
        fixture
            .store
            .order(&Whose::All, &read.id)
            .await
            .unwrap()
            .unwrap()
            .version,
        2
    );
}

#[tokio::test]
async fn a_document_that_is_no_order_is_an_error_by_id_and_left_out_of_lists() {
    let fixture = Fixture::new().await;
    let good = order();
    fixture
        .store
        .commit(crate::store::contract::placed(&good))
        .await
        .unwrap();
    let made = DateTime::from_millis(Timestamp::now().ms());
    let mut junk = Vec::new();
    for (name, value) in [
        ("status", Bson::from("lost")),
        ("status", Bson::Null),
        ("status", doc! { "$gt": "" }.into()),
        ("customer", Bson::from(7)),
        ("customer", doc! { "_id": 1 }.into()),
        ("customer", "not a user".into()),
    ] {
        let id = ObjectId::new();
        let mut document =
            doc! { "_id": id, "customer": "c1", "status": "pending", "createdAt": made };
        document.insert(name, value);
        fixture.insert("orders", document).await;
        junk.push(id.to_hex());
    }
    fixture
        .insert(
            "orders",
            doc! { "_id": 5, "customer": "c1", "status": "pending", "createdAt": made },
        )
        .await;
    fixture
        .insert("orders", doc! { "_id": "x y", "createdAt": made })
        .await;
    for id in &junk {
        let read = fixture.store.order(&Whose::All, &id.parse().unwrap()).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    }
    for limit in [1, 3, 50] {
        let mut query = all(limit);
        let mut seen = Vec::new();
        loop {
            let page = fixture.store.orders(query.clone()).await.unwrap();
            seen.extend(page.items);
            query.page.cursor = page.next;
            if query.page.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, std::slice::from_ref(&good), "{limit}");
    }
}

#[tokio::test]
async fn notifications_of_the_old_backend_are_listed_counted_and_marked() {
    let fixture = Fixture::new().await;
    let user = CUSTOMER.parse().unwrap();
    let made = |ms: i64| DateTime::from_millis(1_624_634_510_000 + ms);
    let notifications = [
        doc! {
            "_id": oid(OLD), "user": oid(CUSTOMER), "type": "order",
            "title": "Order Placed Successfully", "message": "Order created",
            "relatedOrder": oid(OLD), "read": false, "createdAt": made(2), "__v": 0,
        },
        doc! { "user": CUSTOMER, "type": "offer", "createdAt": made(1) },
        doc! { "user": oid(CUSTOMER), "read": true, "createdAt": made(0) },
        doc! { "user": oid(CUSTOMER), "read": "no", "createdAt": made(0) },
    ];
    for notification in notifications {
        fixture.insert("notifications", notification).await;
    }
    let query = || NotificationQuery {
        user: CUSTOMER.parse().unwrap(),
        unread: false,
        since: None,
        page: PageRequest {
            limit: 10,
            cursor: None,
        },
    };
    let (page, unread) = fixture.store.notifications(query()).await.unwrap();
    assert_eq!((page.items.len(), unread), (3, 2));
    assert_eq!(page.items[0].notice.order, Some(OLD.parse().unwrap()));
    let (read, unread) = fixture
        .store
        .read_notification(&user, OLD.parse().unwrap(), None)
        .await
        .unwrap()
        .unwrap();
    assert!(read.read && unread == 1);
    assert_eq!(fixture.store.read_all(&user, None).await.unwrap(), 1);
    let (page, unread) = fixture.store.notifications(query()).await.unwrap();
    assert_eq!(
        (page.items.iter().filter(|n| !n.read).count(), unread),
        (0, 0)
    );
}

#[tokio::test]
async fn a_malformed_stored_reply_is_an_error() {
    let fixture = Fixture::new().await;
    let claim = claim("k", "body");
    fixture
        .insert(
            "idempotency",
            doc! { "_id": document::claim_id(&claim), "at": 5 },
        )
        .await;
    assert!(matches!(
        fixture.store.idempotency_state(&claim).await,
        Err(StoreError::Corrupt(_))
    ));
    let refused = fixture
        .store
        .commit(change(vec![], vec![], Some(claim)))
        .await;
    assert!(matches!(refused, Err(CommitError::Claimed)), "{refused:?}");
}

#[tokio::test]
async fn unique_indexes_of_others_do_not_prevent_ours() {
    let fixture = Fixture::new().await;
    let database = fixture.store.mongo.database();
    let unique = |sparse| IndexOptions::builder().unique(true).sparse(sparse).build();
    for (collection, field) in [
        ("orders", "orderNumber"),
        ("payments", "razorpayOrderId"),
        ("payments", "razorpayPaymentId"),
    ] {
        let index = IndexModel::builder()
            .keys(doc! { field: 1 })
            .options(unique(true))
            .build();
        database
            .collection::<Document>(collection)
            .create_index(index)
            .await
            .unwrap();
    }
    indexes::create_all(&fixture.store.mongo).await.unwrap();
    let names = database
        .collection::<Document>("notifications")
        .list_index_names()
        .await
        .unwrap();
    assert_eq!(names.len(), 3, "{names:?}");
    for _ in 0..2 {
        let opened = vec![Write::NewPayment(payment(&order()))];
        fixture
            .store
            .commit(change(opened, vec![], None))
            .await
            .unwrap();
    }
}
