//! Payments: at most one of an order stands, which is one that is open or completed.

use metaia_realtime::{event::PaymentStatus, mongo::RecordWrite};
use mongodb::bson::{Bson, doc, oid::ObjectId};

use super::{
    super::document::{PAYMENTS, payment_of, payment_set},
    Facts, set,
};
use crate::{
    model::Payment,
    store::{CommitError, name_of},
};

pub(in super::super) const fn stands(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Created | PaymentStatus::Completed)
}

/// A new payment.
pub(super) fn open(facts: &mut Facts, payment: &Payment) -> Result<RecordWrite, CommitError> {
    let taken =
        facts.payments.has(&payment.id) || facts.provider_orders.has(&payment.razorpay_order_id);
    if taken || !may_stand(facts, payment) {
        return Err(CommitError::Missed);
    }
    facts
        .provider_orders
        .put(payment.razorpay_order_id.clone(), ());
    noted(facts, payment);
    Ok(RecordWrite::Insert {
        collection: PAYMENTS,
        document: payment_of(payment),
    })
}

/// A payment that moved on.
pub(super) fn advance(
    facts: &mut Facts,
    payment: &Payment,
    from: PaymentStatus,
) -> Result<RecordWrite, CommitError> {
    if facts.payments.get(&payment.id) != Some(&from) || !may_stand(facts, payment) {
        return Err(CommitError::Missed);
    }
    noted(facts, payment);
    let filter = doc! { "_id": id_of(payment), "status": name_of(&from) };
    Ok(set(PAYMENTS, filter, payment_set(payment)))
}

/// Whether it does not stand, or no other does. Where others have left several that are open, any
/// of them may go on until one is completed.
fn may_stand(facts: &Facts, payment: &Payment) -> bool {
    let standing = facts
        .standing
        .get(&payment.order)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let id = id_of(payment);
    let (own, others): (Vec<_>, Vec<_>) = standing.iter().partition(|(of, _)| *of == id);
    let completed = others
        .iter()
        .any(|(_, status)| *status == PaymentStatus::Completed);
    !stands(payment.status) || others.is_empty() || !(own.is_empty() || completed)
}

fn noted(facts: &mut Facts, payment: &Payment) {
    facts.payments.put(payment.id, payment.status);
    let mut standing = facts
        .standing
        .get(&payment.order)
        .cloned()
        .unwrap_or_default();
    standing.retain(|(of, _)| *of != id_of(payment));
    if stands(payment.status) {
        standing.push((id_of(payment), payment.status));
    }
    facts.standing.put(payment.order.clone(), standing);
}

fn id_of(payment: &Payment) -> Bson {
    ObjectId::from_bytes(payment.id.to_bytes()).into()
}
