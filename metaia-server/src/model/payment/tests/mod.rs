//! The decision: properties over random events, and the cases that people have met.

mod cases;
mod properties;

use super::*;
use crate::model::testing::order;

const PRICE: i64 = 90_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms).unwrap()
}

fn opened() -> Payment {
    let order = Order {
        amount: PRICE,
        ..order()
    };
    Payment::open(PaymentId::random(), &order, "order_1".into(), at(0))
}

fn rupees(amount: i64) -> Money {
    Money {
        amount,
        currency: "INR".into(),
    }
}

/// Returns an event of the provider over the price.
fn event(attempt: &str, status: AttemptStatus) -> PaymentEvent {
    over(attempt, status, PRICE)
}

fn over(attempt: &str, status: AttemptStatus, amount: i64) -> PaymentEvent {
    PaymentEvent {
        attempt: attempt.into(),
        status,
        money: Some(rupees(amount)),
        at: at(1),
    }
}

/// Returns the result of a checkout, which names no amount.
fn checkout(attempt: &str) -> PaymentEvent {
    PaymentEvent {
        money: None,
        ..event(attempt, AttemptStatus::Completed)
    }
}

/// Returns the payment after events that arrive while the order is open and not paid otherwise.
fn after(events: &[PaymentEvent]) -> Payment {
    let events = events.iter().cloned();
    let events: Vec<_> = events
        .map(|event| (event, OrderSituation::default()))
        .collect();
    after_each(&events)
}

/// Returns the payment after events that each arrive in a situation of its own.
fn after_each(events: &[(PaymentEvent, OrderSituation)]) -> Payment {
    let settle = |payment: Payment, (event, order): &(PaymentEvent, OrderSituation)| {
        payment.settled(event, *order).payment
    };
    events.iter().fold(opened(), settle)
}

fn status_of<'a>(payment: &'a Payment, id: &str) -> Option<&'a AttemptStatus> {
    let attempt = payment.attempts.iter().find(|attempt| attempt.id == id);
    attempt.map(|attempt| &attempt.status)
}
