//! Payments of other programs: those of the old backend are served and completed.

use metaia_realtime::event::PaymentStatus;
use mongodb::bson::DateTime;

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
