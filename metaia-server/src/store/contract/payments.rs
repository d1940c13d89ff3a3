//! Payments: one of an order stands, no change of one is lost, and lists have pages.

use metaia_realtime::event::PaymentFlag;

use super::*;
use crate::model::{Attempt, AttemptStatus};

fn payment(of: &Order, provider_order: &str) -> Payment {
    let id = PaymentId::random();
    Payment::open(id, of, provider_order.into(), of.created_at)
}

/// Returns the payment in its next version, with this status.
fn moved(payment: &Payment, status: PaymentStatus) -> Payment {
    Payment {
        status,
        version: payment.version + 1,
        ..payment.clone()
    }
}

fn attempt(id: &str, at: Timestamp) -> Attempt {
    Attempt {
        id: id.into(),
        status: AttemptStatus::Completed,
        amount: 1,
        currency: "USD".into(),
        at,
    }
}

async fn committed<S: Site>(site: &S, writes: Vec<Write>) -> Result<StoredReply, CommitError> {
    let change = change(writes, vec![], None);
    site.store().commit(change).await
}

#[track_caller]
fn assert_missed(answer: &Result<StoredReply, CommitError>) {
    assert!(matches!(answer, Err(CommitError::Missed)), "{answer:?}");
}

pub(crate) async fn an_order_has_one_standing_payment<S: Site>() {
    let site = S::new().await;
    let order = order();
    let first = payment(&order, "order_1");
    let second = payment(&order, "order_2");
    let new = |payment: &Payment| vec![Write::NewPayment(payment.clone())];
    let next = |payment: &Payment, from| {
        let payment = payment.clone();
        vec![Write::Payment { payment, from }]
    };
    committed(&site, new(&first)).await.unwrap();
    assert_missed(&committed(&site, new(&second)).await);
    let failed = moved(&first, PaymentStatus::Failed);
    let failure = next(&failed, PaymentStatus::Created);
    committed(&site, failure.clone()).await.unwrap();
    assert_missed(&committed(&site, failure).await);
    let standing = site.store().standing_payments(&order.id);
    assert_eq!(standing.await.unwrap(), StandingPayments::default());
    committed(&site, new(&second)).await.unwrap();
    let late = next(
        &moved(&failed, PaymentStatus::Completed),
        PaymentStatus::Failed,
    );
    assert_missed(&committed(&site, late.clone()).await);
    let standing = site.store().standing_payments(&order.id);
    assert_eq!(
        standing.await.unwrap().payments,
        std::slice::from_ref(&second)
    );
    let found = site.store().payment("order_1").await.unwrap();
    assert_eq!(found, Some(failed));

    // The open payment ends in the same change.
    let mut both = next(&second.superseded(), PaymentStatus::Created);
    both.extend(late);
    committed(&site, both).await.unwrap();
    let standing = site.store().standing_payments(&order.id).await.unwrap();
    let ids: Vec<_> = standing.payments.iter().map(|payment| payment.id).collect();
    assert_eq!(ids, [first.id]);
}

/// Two events that leave the status as it is must not overwrite each other.
pub(crate) async fn a_payment_is_changed_in_its_next_version_only<S: Site>() {
    let site = S::new().await;
    let opened = payment(&order(), "order_1");
    committed(&site, vec![Write::NewPayment(opened.clone())])
        .await
        .unwrap();
    let mut listed = moved(&opened, PaymentStatus::Created);
    listed.attempts.push(attempt("pay_1", opened.created_at));
    listed.flags = PaymentFlag::ALL.to_vec();
    let mut other = listed.clone();
    other.attempts[0].id = "pay_2".into();
    let write = |payment: &Payment| Write::Payment {
        payment: payment.clone(),
        from: PaymentStatus::Created,
    };
    committed(&site, vec![write(&listed)]).await.unwrap();
    assert_missed(&committed(&site, vec![write(&other)]).await);
    let site = site.reopened().await;
    let found = site.store().payment("order_1").await.unwrap();
    assert_eq!(found, Some(listed));
}

pub(crate) async fn payments_are_listed_in_pages<S: Site>() {
    let site = S::new().await;
    let mut payments: Vec<Payment> = (0..7)
        .map(|n| Payment {
            // Some are made in the same millisecond.
            created_at: Timestamp::from_ms(n / 2).unwrap(),
            ..payment(&order(), &format!("order_{n}"))
        })
        .collect();
    let writes = payments.iter().cloned().map(Write::NewPayment);
    committed(&site, writes.collect()).await.unwrap();
    for payment in payments.iter_mut().step_by(2) {
        *payment = moved(payment, PaymentStatus::Created);
        payment.flags.push(PaymentFlag::AmountMismatch);
        let payment = payment.clone();
        let from = PaymentStatus::Created;
        committed(&site, vec![Write::Payment { payment, from }])
            .await
            .unwrap();
    }
    payments.sort_by_key(|payment| (payment.created_at, payment.id.to_string()));
    payments.reverse();
    assert_eq!(paged(&site, false).await, payments);
    payments.retain(|payment| !payment.flags.is_empty());
    assert_eq!(paged(&site, true).await, payments);
}

async fn paged<S: Site>(site: &S, flagged: bool) -> Vec<Payment> {
    let page = PageRequest {
        limit: 2,
        cursor: None,
    };
    let mut query = PaymentQuery { flagged, page };
    let mut seen = Vec::new();
    loop {
        let page = site.store().payments(query).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        query.page.cursor = page.next;
        if query.page.cursor.is_none() {
            return seen;
        }
    }
}
