//! The cases that people have met, and payments of earlier versions.

use metaia_realtime::event::PaymentStatus::{Completed, Created, Failed, Refunded};

use super::*;

#[test]
fn a_refund_of_an_unpaid_attempt_leaves_the_payment_payable() {
    let refund = event("pay_B", AttemptStatus::Refunded);
    let payment = after(&[refund, checkout("pay_A")]);
    assert_eq!(payment.status, Completed);
    assert_eq!(payment.razorpay_payment_id.as_deref(), Some("pay_A"));
    assert_eq!(payment.flags, []);
}

#[test]
fn the_other_attempt_pays_once_the_first_is_paid_back() {
    let mut events = vec![
        checkout("pay_A"),
        event("pay_B", AttemptStatus::Completed),
        event("pay_A", AttemptStatus::Refunded),
    ];
    let payment = after(&events);
    assert_eq!(payment.status, Completed);
    assert_eq!(payment.razorpay_payment_id.as_deref(), Some("pay_B"));
    assert_eq!(payment.flags, [PaymentFlag::SecondCapture]);
    events.push(event("pay_B", AttemptStatus::Refunded));
    assert_eq!(after(&events).status, Refunded);
}

#[test]
fn a_capture_of_an_order_that_another_payment_pays_is_listed_and_flagged() {
    let order = OrderSituation {
        is_paid_by_another: true,
        ..OrderSituation::default()
    };
    let superseded = opened().superseded();
    let settlement = superseded.settled(&checkout("pay_A"), order);
    assert_eq!(settlement.payment.status, Failed);
    assert_eq!(settlement.steps, []);
    assert_eq!(settlement.new_flags, [PaymentFlag::SecondCapture]);
    let refund = event("pay_A", AttemptStatus::Refunded);
    let settlement = settlement.payment.settled(&refund, order);
    assert_eq!(settlement.payment.status, Failed);
    let attempt = status_of(&settlement.payment, "pay_A");
    assert_eq!(attempt, Some(&AttemptStatus::Refunded));
}

#[test]
fn a_success_is_late_only_if_another_payment_was_opened() {
    let failed = after(&[event("pay_A", AttemptStatus::Failed)]);
    let alone = failed.settled(&checkout("pay_B"), OrderSituation::default());
    assert_eq!(alone.new_flags, []);
    let order = OrderSituation {
        has_another_open: true,
        ..OrderSituation::default()
    };
    let late = failed.settled(&checkout("pay_B"), order);
    assert!(late.completes());
    assert_eq!(late.new_flags, [PaymentFlag::LateSuccess]);
}

#[test]
fn money_for_a_cancelled_order_is_flagged_once() {
    let order = OrderSituation {
        is_cancelled: true,
        ..OrderSituation::default()
    };
    let late = opened().settled(&checkout("pay_A"), order);
    assert_eq!(late.payment.status, Completed);
    assert_eq!(late.new_flags, [PaymentFlag::OrderCancelled]);
    // An order that is cancelled after it was paid is nothing that the payment must tell.
    let paid = after(&[checkout("pay_A")]);
    let repeated = paid.settled(&event("pay_A", AttemptStatus::Completed), order);
    assert_eq!(repeated.payment, paid);
}

#[test]
fn an_attempt_beyond_a_list_of_money_is_reported() {
    let captures = (0..MAX_LISTED_ATTEMPTS).map(|n| {
        let id = format!("pay_{n}");
        event(&id, AttemptStatus::Completed)
    });
    let full = after(&captures.collect::<Vec<_>>());
    let settlement = full.settled(&checkout("pay_more"), OrderSituation::default());
    assert!(!settlement.is_listed);
    assert_eq!(settlement.payment, full);
    assert_eq!(full.flags, [PaymentFlag::SecondCapture]);
}

/// Payments of earlier versions name an attempt, and list none.
#[test]
fn the_attempt_that_an_earlier_version_named_is_listed() {
    for (status, listed) in [
        (Created, None),
        (Failed, Some(AttemptStatus::Failed)),
        (Completed, Some(AttemptStatus::Completed)),
        (Refunded, Some(AttemptStatus::Refunded)),
    ] {
        let stored = Payment {
            status,
            razorpay_payment_id: Some("pay_A".into()),
            ..opened()
        };
        let read = stored.with_named_attempt();
        assert_eq!(status_of(&read, "pay_A").copied(), listed, "{status:?}");
        assert_eq!(read.clone().with_named_attempt(), read);
    }
}

/// An earlier version beside this one moves the status, and leaves the list as it is.
#[test]
fn an_attempt_that_an_earlier_version_moved_on_is_listed_as_it_is() {
    let mut paid = after(&[checkout("pay_A")]);
    paid.status = Refunded;
    let read = paid.with_named_attempt();
    assert_eq!(status_of(&read, "pay_A"), Some(&AttemptStatus::Refunded));
}

/// Otherwise a payment that is read lists one more than it stored.
#[test]
fn the_attempt_that_the_payment_names_stays_listed() {
    let failures = (0..MAX_LISTED_ATTEMPTS).map(|n| {
        let id = format!("pay_{n}");
        event(&id, AttemptStatus::Failed)
    });
    let mut events: Vec<_> = failures.collect();
    for n in 0..3 {
        let id = format!("pay_other_{n}");
        events.push(over(&id, AttemptStatus::Completed, 1));
        let payment = after(&events);
        assert_eq!(payment.razorpay_payment_id.as_deref(), Some("pay_0"));
        assert_eq!(status_of(&payment, "pay_0"), Some(&AttemptStatus::Failed));
        assert_eq!(status_of(&payment, &id), Some(&AttemptStatus::Completed));
        assert_eq!(payment.attempts.len(), MAX_LISTED_ATTEMPTS);
        assert_eq!(payment.clone().with_named_attempt(), payment);
    }
}
