//! Payments: at most one of an order stands, that is, is open or completed.

use metaia_realtime::{event::PaymentStatus, mongo::RecordWrite};
use mongodb::bson::{Bson, doc, oid::ObjectId};

use super::{
    super::document::{PAYMENTS, Revision, payment_document, payment_update},
    facts::{Facts, StoredPayment, stands},
    orders::signed,
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
    let version = signed(payment.version)?;
    draft_payment(facts, payment, version);
    Ok(RecordWrite::Insert {
        collection: PAYMENTS,
        document: payment_document(payment, version),
    })
}

/// Updates a payment to its next version. The filter names the status, too: nodes of earlier
/// versions move it and leave the version as it is.
pub(super) fn advance(
    facts: &mut Facts,
    payment: &Payment,
    from: PaymentStatus,
) -> Result<RecordWrite, CommitError> {
    let Some(stored) = facts.payments.get(&payment.id) else {
        return Err(CommitError::Missed);
    };
    let is_next = stored.revision.number().checked_add(1) == Some(payment.version);
    if stored.status != from || !is_next || !may_stand(facts, payment) {
        return Err(CommitError::Missed);
    }
    let filter = doc! {
        "_id": id_of(payment),
        "status": name_of(&from),
        "version": stored.revision.condition(),
    };
    let version = signed(payment.version)?;
    draft_payment(facts, payment, version);
    Ok(RecordWrite::Update {
        collection: PAYMENTS,
        filter,
        update: payment_update(payment, version),
    })
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

fn draft_payment(facts: &mut Facts, payment: &Payment, version: i64) {
    let stored = StoredPayment {
        status: payment.status,
        revision: Revision::new(version),
    };
    facts.payments.set(payment.id, stored);
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
