//! Payments of other programs: those of the old backend are served and completed.

use metaia_realtime::event::PaymentStatus;
use mongodb::bson::DateTime;

use super::{
    foreign::{CUSTOMER, OLD, oid, payment},
    *,
};
use crate::{
    model::{Payment, testing::order},
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
    let payment = fixture
        .store
        .payment(PaymentKey::Standing(OLD.parse().unwrap()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(payment.customer.as_str(), CUSTOMER);
    let paid = payment
        .advanced(Completed, Some("pay_1"))
        .unwrap()
        .remove(0);
    let write = Write::Payment {
        payment: paid.clone(),
        from: Created,
    };
    fixture
        .store
        .commit(change(vec![write], vec![], None))
        .await
        .unwrap();
    let key = PaymentKey::Provider("order_old".into());
    assert_eq!(fixture.store.payment(key).await.unwrap(), Some(paid));
    fixture
        .insert(
            "payments",
            doc! { "order": "o1", "status": "created", "razorpayOrderId": 5 },
        )
        .await;
    let read = fixture
        .store
        .payment(PaymentKey::Standing("o1".parse().unwrap()))
        .await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
}

#[tokio::test]
async fn of_several_payments_that_others_left_open_one_is_completed() {
    let fixture = Fixture::new().await;
    let order = order();
    let first = payment(&order);
    let second = payment(&order);
    for left in [&first, &second] {
        fixture
            .insert("payments", document::payment_document(left))
            .await;
    }
    let completed = |payment: &Payment| {
        let payment = Payment {
            status: PaymentStatus::Completed,
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
    let standing = fixture
        .store
        .payment(PaymentKey::Standing(order.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(standing.id, second.id);
}
