//! Payments as documents. A payment needs all members that earlier versions wrote; its customer may
//! be called `user`, as in the old backend. Earlier versions read what this one writes: they ignore
//! the members that are new. An attempt that cannot be read is never dropped, since the list is
//! written as a whole; flags of later versions stay when a payment is changed.

use metaia_realtime::event::{PaymentFlag, PaymentStatus};
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};

use super::{
    PAYMENTS, Revision, Unreadable,
    value::{created_at_in, date, id, id_in, integer, named, parsed, text, time, user_in},
};
use crate::{
    model::{Attempt, Payment},
    store::name_of,
};

/// Returns the document of a new payment.
pub(in super::super) fn payment_document(payment: &Payment, version: i64) -> Document {
    let mut document = doc! {
        "_id": ObjectId::from_bytes(payment.id.to_bytes()),
        "order": id(payment.order.as_str()),
        "customer": id(payment.customer.as_str()),
        "razorpayOrderId": &payment.razorpay_order_id,
        "amount": payment.amount,
        "currency": &payment.currency,
        "createdAt": date(payment.created_at),
    };
    document.extend(payment_fields(payment, version));
    document.insert("flags", flag_names(payment));
    document
}

/// Returns the update of a payment to its next version. It adds flags, and removes none.
pub(in super::super) fn payment_update(payment: &Payment, version: i64) -> Document {
    let mut update = doc! { "$set": payment_fields(payment, version) };
    let flags = flag_names(payment);
    if !flags.is_empty() {
        update.insert("$addToSet", doc! { "flags": { "$each": flags } });
    }
    update
}

fn flag_names(payment: &Payment) -> Vec<&'static str> {
    payment.flags.iter().map(|flag| flag.as_str()).collect()
}

/// Returns the fields of a payment that change, without its flags. Missing ones are left out: a
/// null would count in a sparse unique index of another program. `flagged` is there for its index.
fn payment_fields(payment: &Payment, version: i64) -> Document {
    let attempts: Vec<Document> = payment.attempts.iter().map(attempt_document).collect();
    let mut set = doc! {
        "status": name_of(&payment.status),
        "attempts": attempts,
        "version": version,
    };
    if let Some(attempt) = &payment.razorpay_payment_id {
        set.insert("razorpayPaymentId", attempt);
    }
    if !payment.flags.is_empty() {
        set.insert("flagged", true);
    }
    set
}

fn attempt_document(attempt: &Attempt) -> Document {
    doc! {
        "id": &attempt.id,
        "status": name_of(&attempt.status),
        "amount": attempt.amount,
        "currency": &attempt.currency,
        "at": date(attempt.at),
    }
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
    let created_at =
        created_at_in(document).ok_or_else(|| unreadable("it has no creation time"))?;
    let payment = Payment {
        id: id_in(document).ok_or_else(|| unreadable("its id is not that of a payment"))?,
        order: parsed(document, "order").ok_or_else(|| unreadable("it has no order"))?,
        customer: customer.ok_or_else(|| unreadable("it has no customer"))?,
        razorpay_order_id: provider_order.to_owned(),
        razorpay_payment_id: text(document, "razorpayPaymentId").map(str::to_owned),
        amount: amount.ok_or_else(|| unreadable("it has no amount"))?,
        currency: text(document, "currency").unwrap_or("INR").to_owned(),
        status: status_in(document).ok_or_else(|| unreadable("it has no known status"))?,
        created_at,
        attempts: attempts_in(document).ok_or_else(|| unreadable("an attempt is malformed"))?,
        flags: flags_in(document).ok_or_else(|| unreadable("its flags are no list"))?,
        version: Revision::read(document).number(),
    };
    Ok(payment.with_named_attempt())
}

/// Reads the list of attempts. What is no list is none of ours: the provider's own orders have a
/// number of this name.
fn attempts_in(document: &Document) -> Option<Vec<Attempt>> {
    let Ok(attempts) = document.get_array("attempts") else {
        return Some(Vec::new());
    };
    let attempts = attempts.iter();
    attempts
        .map(|attempt| attempt_in(attempt.as_document()?))
        .collect()
}

fn attempt_in(attempt: &Document) -> Option<Attempt> {
    Some(Attempt {
        id: text(attempt, "id")?.to_owned(),
        status: named(attempt, "status")?,
        amount: integer(attempt.get("amount")?)?,
        currency: text(attempt, "currency")?.to_owned(),
        at: time(attempt, "at")?,
    })
}

/// Reads the flags that are known.
fn flags_in(document: &Document) -> Option<Vec<PaymentFlag>> {
    let Some(flags) = document.get("flags") else {
        return Some(Vec::new());
    };
    let names = flags.as_array()?.iter().filter_map(Bson::as_str);
    let known = |name| {
        PaymentFlag::ALL
            .into_iter()
            .find(|flag| flag.as_str() == name)
    };
    Some(names.filter_map(known).collect())
}
