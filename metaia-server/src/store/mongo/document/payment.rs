//! Payments as documents. A payment needs all its members; its customer may be called `user`, as in
//! the old backend.

use metaia_realtime::event::PaymentStatus;
use mongodb::bson::{Document, doc, oid::ObjectId};

use super::{
    PAYMENTS, Unreadable,
    value::{created_at_in, date, id, id_in, integer, named, parsed, text, user_in},
};
use crate::{model::Payment, store::name_of};

/// Returns the document of a payment.
pub(in super::super) fn payment_document(payment: &Payment) -> Document {
    let mut document = doc! {
        "_id": ObjectId::from_bytes(payment.id.to_bytes()),
        "order": id(payment.order.as_str()),
        "customer": id(payment.customer.as_str()),
        "razorpayOrderId": &payment.razorpay_order_id,
        "amount": payment.amount,
        "currency": &payment.currency,
        "createdAt": date(payment.created_at),
    };
    document.extend(payment_fields(payment));
    document
}

/// Returns the fields of a payment that change. Missing ones are left out: a null would count in a
/// sparse unique index of another program.
pub(in super::super) fn payment_fields(payment: &Payment) -> Document {
    let mut set = doc! { "status": name_of(&payment.status) };
    if let Some(paid_by) = &payment.razorpay_payment_id {
        set.insert("razorpayPaymentId", paid_by);
    }
    set
}

pub(in super::super) fn status_in(document: &Document) -> Option<PaymentStatus> {
    named(document, "status")
}

/// Reads a payment out of a document.
pub(in super::super) fn payment_in(document: &Document) -> Result<Payment, Unreadable> {
    let unreadable = |what| Unreadable::new(PAYMENTS, document, what);
    let customer = user_in(document, "customer").or_else(|| user_in(document, "user"));
    let amount = document.get("amount").and_then(integer);
    let amount = amount.filter(|amount| *amount >= 0);
    let provider_order = text(document, "razorpayOrderId")
        .ok_or_else(|| unreadable("it has no order at the provider"))?;
    Ok(Payment {
        id: id_in(document).ok_or_else(|| unreadable("its id is not that of a payment"))?,
        order: parsed(document, "order").ok_or_else(|| unreadable("it has no order"))?,
        customer: customer.ok_or_else(|| unreadable("it has no customer"))?,
        razorpay_order_id: provider_order.to_owned(),
        razorpay_payment_id: text(document, "razorpayPaymentId").map(str::to_owned),
        amount: amount.ok_or_else(|| unreadable("it has no amount"))?,
        currency: text(document, "currency").unwrap_or("INR").to_owned(),
        status: status_in(document).ok_or_else(|| unreadable("it has no known status"))?,
        created_at: created_at_in(document).ok_or_else(|| unreadable("it has no creation time"))?,
    })
}
