//! Payments of other programs: those of the old backend are served and completed.

use metaia_realtime::event::{PaymentFlag, PaymentStatus};
use mongodb::bson::{Bson, DateTime};

use super::{
    foreign::{CUSTOMER, OLD, oid, payment},
    *,
};
use crate::{
    model::{AttemptStatus, OrderSituation, Payment, PaymentEvent, testing::order},
    store::{CommitError, Write, contract::change},
};

#[tokio::test]
async fn a_payment_of_the_old_backend_stands_and_moves_on() {
    use metaia_realtime::event::PaymentStatus::{Completed, Created};
    let fixture = Fixture::new().await;
    let old = doc! {
        "_id": oid(OLD), "order": oid(OLD), "user": oid(CUSTOMER),
        "razorpayOrderId": "order_old", "amount": 4999, "status": "created",
        "createdAt": DateTime::from_millis(5),
    };
    fixture.insert("payments", old).await;
    let order = OLD.parse().unwrap();
    let mut standing = fixture.store.standing_payments(&order).await.unwrap();
    let payment = standing.payments.remove(0);
    assert_eq!(payment.customer.as_str(), CUSTOMER);
    let event = PaymentEvent {
        attempt: "pay_1".into(),
        status: AttemptStatus::Completed,
        money: None,
        at: payment.created_at,
    };
    let paid = payment.settled(&event, OrderSituation::default()).payment;
    assert_eq!(paid.status, Completed);
    let write = Write::Payment {
        payment: paid.clone(),
        from: Created,
    };
    fixture
        .store
        .commit(change(vec![write], vec![], None))
        .await
        .unwrap();
    let found = fixture.store.payment("order_old").await.unwrap();
    assert_eq!(found, Some(paid));
    fixture
        .insert(
            "payments",
            doc! { "order": "o1", "status": "created", "razorpayOrderId": 5 },
        )
        .await;
    let order = "o1".parse().unwrap();
    let read = fixture.store.standing_payments(&order).await.unwrap();
    assert_eq!(read.payments, []);
    assert_eq!(read.unreadable, [Created]);
}

#[tokio::test]
async fn of_several_payments_that_others_left_open_one_is_completed() {
    let fixture = Fixture::new().await;
    let order = order();
    let first = payment(&order);
    let second = payment(&order);
    for left in [&first, &second] {
        fixture
            .insert("payments", document::payment_document(left, 1))
            .await;
    }
    let completed = |payment: &Payment| {
        let payment = Payment {
            status: PaymentStatus::Completed,
            version: 2,
            ..payment.clone()
        };
        change(
            vec![Write::Payment {
                payment,
                from: PaymentStatus::Created,
            }],
            vec![],
            None,
        )
    };
    let another = change(vec![Write::NewPayment(payment(&order))], vec![], None);
    assert!(matches!(
        fixture.store.commit(another).await,
        Err(CommitError::Missed)
    ));
    fixture.store.commit(completed(&second)).await.unwrap();
    assert!(matches!(
        fixture.store.commit(completed(&first)).await,
        Err(CommitError::Missed)
    ));
    let standing = fixture.store.standing_payments(&order.id).await.unwrap();
    let ids: Vec<_> = standing.payments.iter().map(|payment| payment.id).collect();
    assert_eq!(ids, [second.id, first.id]);
}

/// The list of attempts is written as a whole, so none of it may be dropped.
#[tokio::test]
async fn a_payment_with_a_malformed_attempt_cannot_be_read() {
    let fixture = Fixture::new().await;
    let good = doc! {
        "id": "pay_1", "status": "completed", "amount": 1, "currency": "INR",
        "at": DateTime::from_millis(5),
    };
    let mut malformed: Vec<Bson> = vec!["pay_1".into(), Bson::Null, doc! {}.into()];
    for (member, value) in [
        ("id", Bson::from(7)),
        ("status", "pending".into()),
        ("amount", "1".into()),
        ("amount", Bson::Double(0.5)),
        ("currency", Bson::Null),
        ("at", "yesterday".into()),
    ] {
        let mut attempt = good.clone();
        attempt.insert(member, value);
        malformed.push(attempt.into());
    }
    for attempt in malformed {
        let payment = payment(&order());
        let mut document = document::payment_document(&payment, 1);
        let attempts: Vec<Bson> = vec![good.clone().into(), attempt.clone()];
        document.insert("attempts", attempts);
        fixture.insert("payments", document).await;
        let read = fixture.store.payment(&payment.razorpay_order_id).await;
        assert!(
            matches!(read, Err(StoreError::Corrupt(_))),
            "{attempt}: {read:?}"
        );
    }
    for others in [Bson::Int32(3), Bson::Null] {
        let payment = payment(&order());
        let mut document = document::payment_document(&payment, 1);
        document.insert("attempts", others);
        fixture.insert("payments", document).await;
        let read = fixture.store.payment(&payment.razorpay_order_id).await;
        assert_eq!(read.unwrap(), Some(payment));
    }
}

/// A node of a later version beside this one may know more flags.
#[tokio::test]
async fn flags_that_are_not_known_stay() {
    let fixture = Fixture::new().await;
    let opened = payment(&order());
    let mut later = document::payment_document(&opened, 1);
    later.insert("flags", vec!["of_a_later_version", "late_success"]);
    later.insert("flagged", true);
    fixture.insert("payments", later).await;
    let id = &opened.razorpay_order_id;
    let mut changes = Vec::new();
    for flag in [None, Some(PaymentFlag::SecondCapture)] {
        let mut next = fixture.store.payment(id).await.unwrap().unwrap();
        next.version += 1;
        next.flags.extend(flag);
        let from = next.status;
        let write = Write::Payment {
            payment: next.clone(),
            from,
        };
        let change = change(vec![write], vec![], None);
        fixture.store.commit(change).await.unwrap();
        changes.push(next);
    }
    let stored = fixture
        .find("payments", doc! { "razorpayOrderId": id })
        .await;
    let flags = stored.get_array("flags").unwrap();
    let expected = ["of_a_later_version", "late_success", "second_capture"];
    assert_eq!(*flags, expected.map(Bson::from));
    let read = fixture.store.payment(id).await.unwrap();
    assert_eq!(read.as_ref(), changes.last());
}
