//! Payments: at most one of an order stands, that is, is open or completed.

use metaia_realtime::{event::PaymentStatus, mongo::RecordWrite};
use mongodb::bson::{Bson, doc, oid::ObjectId};

use super::{
    super::document::{PAYMENTS, payment_document, payment_fields},
    build,
    facts::{Facts, stands},
};
use crate::{
    model::Payment,
    store::{CommitError, name_of},
};

/// Inserts a new payment.
pub(super) fn open(facts: &mut Facts, payment: &Payment) -> Result<RecordWrite, CommitError> {
    let is_taken = facts.payments.contains(&payment.id)
        || facts.provider_orders.contains(&payment.razorpay_order_id);
    if is_taken || !may_stand(facts, payment) {
        return Err(CommitError::Missed);
    }
    facts
        .provider_orders
        .set(payment.razorpay_order_id.clone(), ());
    draft_payment(facts, payment);
    Ok(RecordWrite::Insert {
        collection: PAYMENTS,
        document: payment_document(payment),
    })
}

/// Updates the status of a payment.
pub(super) fn advance(
    facts: &mut Facts,
    payment: &Payment,
    from: PaymentStatus,
) -> Result<RecordWrite, CommitError> {
    if facts.payments.get(&payment.id) != Some(&from) || !may_stand(facts, payment) {
        return Err(CommitError::Missed);
    }
    draft_payment(facts, payment);
    let filter = doc! { "_id": id_of(payment), "status": name_of(&from) };
    Ok(build::set(PAYMENTS, filter, payment_fields(payment)))
}

/// Returns whether a payment may take its new status: it does not stand, or no other payment of the
/// order does. If other programs have left several open payments, any of them may go on until one
/// is completed.
fn may_stand(facts: &Facts, payment: &Payment) -> bool {
    let standing = facts.standing.get(&payment.order);
    let standing = standing.map(Vec::as_slice).unwrap_or_default();
    let id = id_of(payment);
    let (own, others): (Vec<_>, Vec<_>) = standing.iter().partition(|(other, _)| *other == id);
    if !stands(payment.status) || others.is_empty() {
        return true;
    }
    let is_other_completed = others
        .iter()
        .any(|(_, status)| *status == PaymentStatus::Completed);
    !own.is_empty() && !is_other_completed
}

fn draft_payment(facts: &mut Facts, payment: &Payment) {
    facts.payments.set(payment.id, payment.status);
    let mut standing = facts
        .standing
        .get(&payment.order)
        .cloned()
        .unwrap_or_default();
    let id = id_of(payment);
    standing.retain(|(other, _)| *other != id);
    if stands(payment.status) {
        standing.push((id, payment.status));
    }
    facts.standing.set(payment.order.clone(), standing);
}

fn id_of(payment: &Payment) -> Bson {
    ObjectId::from_bytes(payment.id.to_bytes()).into()
}
