//! Payments as documents. Nothing stands in for what a payment lacks, except that its customer may
//! be called its user.

use metaia_realtime::event::PaymentStatus;
use mongodb::bson::{Document, doc, oid::ObjectId};

use super::{
    PAYMENTS, Unreadable,
    value::{date, hex, id, integer, made, named, parsed, text, user_in},
};
use crate::{model::Payment, store::name_of};

/// The document of a payment.
pub(in super::super) fn payment_of(payment: &Payment) -> Document {
    let mut document = doc! {
        "_id": ObjectId::from_bytes(payment.id.to_bytes()),
        "order": id(payment.order.as_str()),
        "customer": id(payment.customer.as_str()),
        "razorpayOrderId": &payment.razorpay_order_id,
        "amount": payment.amount,
        "currency": &payment.currency,
        "createdAt": date(payment.created_at),
    };
    document.extend(payment_set(payment));
    document
}

/// What changes of a payment. What it has not got is left out: a null would count in a sparse
/// unique index of others.
pub(in super::super) fn payment_set(payment: &Payment) -> Document {
    let mut set = doc! { "status": name_of(&payment.status) };
    if let Some(paid_by) = &payment.razorpay_payment_id {
        set.insert("razorpayPaymentId", paid_by);
    }
    set
}

pub(in super::super) fn status_in(document: &Document) -> Option<PaymentStatus> {
    named(document, "status")
}

/// The payment that a document is.
pub(in super::super) fn payment_in(document: &Document) -> Result<Payment, Unreadable> {
    let unreadable = |what| Unreadable::new(PAYMENTS, document, what);
    let customer = user_in(document, "customer").or_else(|| user_in(document, "user"));
    let amount = document
        .get("amount")
        .and_then(integer)
        .filter(|amount| *amount >= 0);
    let of = text(document, "razorpayOrderId")
        .ok_or_else(|| unreadable("it has no order at the provider"))?;
    Ok(Payment {
        id: hex(document).ok_or_else(|| unreadable("its id is none of a payment"))?,
        order: parsed(document, "order").ok_or_else(|| unreadable("it has no order"))?,
        customer: customer.ok_or_else(|| unreadable("it has no customer"))?,
        razorpay_order_id: of.to_owned(),
        razorpay_payment_id: text(document, "razorpayPaymentId").map(str::to_owned),
        amount: amount.ok_or_else(|| unreadable("it has no amount"))?,
        currency: text(document, "currency").unwrap_or("INR").to_owned(),
        status: status_in(document).ok_or_else(|| unreadable("it has no known status"))?,
        created_at: made(document).ok_or_else(|| unreadable("it does not say when it was made"))?,
    })
}
