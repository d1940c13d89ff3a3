//! Properties of the decision, over random events of three attempts.

use metaia_realtime::event::PaymentStatus::{self, Completed, Created, Failed, Refunded};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// Returns the attempts without their order and times, which depend on the order of the events.
fn attempts(payment: &Payment) -> Vec<(String, AttemptStatus, i64)> {
    let listed = payment.attempts.iter();
    let mut attempts: Vec<_> = listed
        .map(|attempt| (attempt.id.clone(), attempt.status, attempt.amount))
        .collect();
    attempts.sort();
    attempts
}

fn any_status() -> impl Strategy<Value = AttemptStatus> {
    use AttemptStatus::{Completed, Failed, Refunded};
    select(vec![Failed, Completed, Refunded])
}

fn of(names: &[&'static str]) -> impl Strategy<Value = &'static str> {
    select(names.to_vec())
}

/// Returns events of two attempts over the price, with and without its amount, and of one attempt
/// over another amount.
fn any_event() -> impl Strategy<Value = PaymentEvent> {
    prop_oneof![
        4 => (of(&["pay_A", "pay_B"]), any_status()).prop_map(|(id, status)| event(id, status)),
        1 => of(&["pay_A", "pay_B"]).prop_map(checkout),
        2 => (of(&["pay_wrong"]), any_status()).prop_map(|(id, status)| over(id, status, 1)),
    ]
}

/// Returns events that may contradict each other: an attempt is over the price in one, and over
/// another amount in the next. Which one holds is for a person to find out.
fn any_report() -> impl Strategy<Value = PaymentEvent> {
    let amounts = select(vec![1, PRICE - 1, PRICE + 1]);
    let other = (of(&["pay_A", "pay_B"]), any_status(), amounts);
    prop_oneof![
        3 => any_event(),
        1 => other.prop_map(|(id, status, amount)| over(id, status, amount)),
    ]
}

fn any_situation() -> impl Strategy<Value = OrderSituation> {
    any::<(bool, bool, bool)>().prop_map(|(is_cancelled, is_paid_by_another, has_another_open)| {
        OrderSituation {
            is_cancelled,
            is_paid_by_another,
            has_another_open,
        }
    })
}

/// Returns events, each with the situation in which it arrives.
fn story(
    event: impl Strategy<Value = PaymentEvent>,
) -> impl Strategy<Value = Vec<(PaymentEvent, OrderSituation)>> {
    vec((event, any_situation()), 0..12)
}

/// Returns events, and the same events in another order, some of them repeated.
fn shuffled() -> impl Strategy<Value = (Vec<PaymentEvent>, Vec<PaymentEvent>)> {
    vec(any_event(), 0..12).prop_flat_map(|events| {
        let repeated: Vec<_> = events.iter().chain(&events).cloned().collect();
        (Just(events), Just(repeated).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn events_in_any_order_and_number_lead_to_one_end((events, others) in shuffled()) {
        let payment = after(&events);
        let other = after(&others);
        prop_assert_eq!(payment.status, other.status);
        prop_assert_eq!(attempts(&payment), attempts(&other));
        let paid_back = events.iter().any(|event| event.status == AttemptStatus::Refunded);
        if !paid_back {
            for flag in PaymentFlag::ALL {
                prop_assert_eq!(payment.flags.contains(&flag), other.flags.contains(&flag));
            }
        }
    }

    #[test]
    fn a_repeated_event_changes_nothing(events in vec(any_event(), 1..12)) {
        let payment = after(&events);
        for event in &events {
            let settlement = payment.settled(event, OrderSituation::default());
            prop_assert_eq!(&settlement.payment, &payment);
            prop_assert_eq!(settlement.steps, &[]);
            prop_assert_eq!(settlement.new_flags, &[]);
        }
    }

    #[test]
    fn an_event_that_is_repeated_at_once_changes_nothing(story in story(any_report())) {
        let payment = after_each(&story);
        if let Some((event, order)) = story.last() {
            let settlement = payment.settled(event, *order);
            prop_assert_eq!(&settlement.payment, &payment);
            prop_assert_eq!(settlement.new_flags, &[]);
        }
    }

    /// In any situation: money that does not pay, or of which a person has to know, is flagged.
    #[test]
    fn money_that_is_taken_is_listed_and_flagged(
        story in story(any_report()), event in any_report(), order in any_situation(),
    ) {
        let payment = after_each(&story);
        let settlement = payment.settled(&event, order);
        let next = &settlement.payment;
        let is_taken = payment.takes_money(next, &event);
        let is_flagged = |flag| next.flags.contains(&flag);
        prop_assert!(!(is_taken && order.is_cancelled) || is_flagged(PaymentFlag::OrderCancelled));
        let pays = next.status == Completed
            && next.razorpay_payment_id.as_ref() == Some(&event.attempt);
        let explains = is_flagged(PaymentFlag::SecondCapture)
            || is_flagged(PaymentFlag::AmountMismatch);
        prop_assert!(!is_taken || pays || explains, "{:?}", next);
        let is_over_another = event.money.is_some_and(|money| money != payment.price());
        prop_assert!(!is_over_another || is_flagged(PaymentFlag::AmountMismatch));
        let is_named = next.razorpay_payment_id.as_ref() == Some(&event.attempt);
        let was_named = payment.razorpay_payment_id.as_ref() == Some(&event.attempt);
        prop_assert!(!is_over_another || was_named || !is_named);
        if order.is_paid_by_another && payment.status != Completed {
            prop_assert!(!settlement.completes());
        }
    }

    /// Each attempt is listed as far as its own events name, whatever the others do.
    #[test]
    fn an_event_acts_on_the_attempt_that_it_names(story in story(any_report())) {
        let payment = after_each(&story);
        let events = || story.iter().map(|(event, _)| event);
        for id in ["pay_A", "pay_B", "pay_wrong"] {
            let own = events().filter(|event| event.attempt == id);
            let furthest = own.map(|event| event.status).max();
            prop_assert_eq!(status_of(&payment, id).copied(), furthest);
        }
    }

    #[test]
    fn what_another_attempt_does_never_changes_what_is_paid(
        story in story(any_event()), other in any_report(), order in any_situation(),
    ) {
        let payment = after_each(&story);
        let payer = payment.razorpay_payment_id.as_deref();
        if payment.status != Completed || payer == Some(&*other.attempt) {
            return Ok(());
        }
        let settlement = payment.settled(&other, order);
        prop_assert_eq!(settlement.payment.status, Completed);
        prop_assert_eq!(&settlement.payment.razorpay_payment_id, &payment.razorpay_payment_id);
        prop_assert_eq!(settlement.steps, &[]);
    }

    #[test]
    fn a_payment_is_completed_while_an_attempt_holds_its_price(
        events in vec(any_event(), 0..12),
    ) {
        let payment = after(&events);
        let holding: Vec<&Attempt> = payment.attempts.iter()
            .filter(|attempt| attempt.holds_money())
            .collect();
        let holds_price = holding.iter().any(|attempt| attempt.is_over(&payment.price()));
        prop_assert_eq!(payment.status == Completed, holds_price);
        if payment.status == Completed && holding.len() > 1 {
            prop_assert!(payment.flags.contains(&PaymentFlag::SecondCapture));
        }
    }

    #[test]
    fn another_amount_is_listed_and_flagged_and_completes_nothing(
        statuses in vec(any_status(), 1..6), amount in 0..2 * PRICE,
    ) {
        prop_assume!(amount != PRICE);
        let events: Vec<_> = statuses.iter().map(|status| over("pay_A", *status, amount)).collect();
        let payment = after(&events);
        prop_assert_eq!(payment.status, Created);
        prop_assert_eq!(attempts(&payment).len(), 1);
        prop_assert_eq!(payment.attempts[0].amount, amount);
        prop_assert_eq!(payment.flags, &[PaymentFlag::AmountMismatch]);
    }

    #[test]
    fn a_status_moves_only_by_known_steps(story in story(any_report())) {
        let mut payment = opened();
        for (event, order) in &story {
            let settlement = payment.settled(event, *order);
            let mut status = payment.status;
            for next in settlement.steps {
                prop_assert!(is_known_step(status, next), "{:?} to {:?}", status, next);
                status = next;
            }
            prop_assert_eq!(status, settlement.payment.status);
            payment = settlement.payment;
        }
    }

    /// However many attempts fail, the list is bounded, and money is on it.
    #[test]
    fn money_is_listed_even_if_the_list_is_full(
        failing in 0..100usize, at_place in 0..100usize, status in any_status(),
    ) {
        let mut events: Vec<_> = (0..failing)
            .map(|n| event(&format!("pay_{n}"), AttemptStatus::Failed))
            .collect();
        events.insert(at_place.min(failing), event("pay_money", status));
        let payment = after(&events);
        prop_assert!(payment.attempts.len() <= MAX_LISTED_ATTEMPTS);
        if status != AttemptStatus::Failed {
            prop_assert_eq!(status_of(&payment, "pay_money"), Some(&status));
        }
    }

    /// A checkout that was signed for, and reports of another amount, have one end in any order.
    #[test]
    fn a_signed_checkout_completes_whatever_amount_is_reported(
        reported in vec(any_status(), 0..3), place in 0..3usize,
    ) {
        let reported = reported.into_iter();
        let mut events: Vec<_> = reported.map(|status| over("pay_A", status, 1)).collect();
        events.insert(place.min(events.len()), checkout("pay_A"));
        let repeated = events.clone();
        events.extend(repeated);
        let payment = after(&events);
        prop_assert_eq!(payment.status, Completed);
        prop_assert_eq!(payment.flags.is_empty(), events.len() == 2);
        let refunded = payment.settled(
            &event("pay_A", AttemptStatus::Refunded),
            OrderSituation::default(),
        );
        prop_assert_eq!(refunded.payment.status, Refunded);
        let repeated = refunded.payment.settled(&checkout("pay_A"), OrderSituation::default());
        prop_assert_eq!(repeated.payment.status, Refunded);
    }
}

fn is_known_step(from: PaymentStatus, to: PaymentStatus) -> bool {
    matches!(
        (from, to),
        (Created, Failed) | (Created | Failed | Refunded, Completed) | (Completed, Refunded)
    )
}
