//! The decision: what an event makes of a payment.
//!
//! The status follows the attempts. A payment is completed as long as one of them holds its price,
//! whatever becomes of the others; it is refunded once the last of them is paid back. So a refund
//! changes nothing that another attempt pays, and money that is taken after a failure or a refund
//! completes the payment late. The attempt that was captured first goes on paying until it is paid
//! back.
//!
//! An event over another amount is listed and flagged, and changes no status.

use metaia_realtime::{
    event::{PaymentFlag, PaymentStatus},
    planted_faults::{Fault, planted},
};

use super::{
    Attempt, AttemptStatus, Money, OrderSituation, Payment, PaymentEvent, attempt::record,
};

/// The effect of an event on a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The payment afterwards. If it has changed, it has the next version.
    pub payment: Payment,
    /// The statuses that it passes; the last is its new one. Empty if its status is the same.
    pub steps: Vec<PaymentStatus>,
    /// The flags that are new.
    pub new_flags: Vec<PaymentFlag>,
    /// False if the payment lists too many attempts to list this one.
    pub is_listed: bool,
}

impl Settlement {
    /// Returns whether the order is paid by this payment, and was not before.
    #[must_use]
    pub fn completes(&self) -> bool {
        self.steps.last() == Some(&PaymentStatus::Completed)
    }
}

impl Payment {
    /// Returns what an event makes of this payment.
    #[must_use]
    pub fn settled(&self, event: &PaymentEvent, order: OrderSituation) -> Settlement {
        let mut next = self.clone();
        let kept = self.razorpay_payment_id.as_deref();
        let recorded = record(&mut next.attempts, event, &self.price(), kept);
        let is_listed = recorded.is_ok();
        if let Some((status, attempt)) = next.next_status(event, order) {
            next.status = status;
            next.razorpay_payment_id = Some(attempt);
        }
        let mut new_flags = Vec::new();
        for flag in PaymentFlag::ALL {
            let is_due = self.is_due(flag, &next, event, order);
            if is_due && !self.flags.contains(&flag) {
                new_flags.push(flag);
            }
        }
        next.flags.extend(&new_flags);
        if next != *self {
            next.version = self.version.saturating_add(1);
        }
        Settlement {
            steps: steps(self.status, next.status),
            payment: next,
            new_flags,
            is_listed,
        }
    }

    /// Returns the status of a payment whose attempts are up to date, with the attempt that gives
    /// it. `None` if it stays as it is.
    fn next_status(
        &self,
        event: &PaymentEvent,
        order: OrderSituation,
    ) -> Option<(PaymentStatus, String)> {
        use PaymentStatus::{Completed, Created, Failed, Refunded};
        let named = || event.attempt.clone();
        let reached = self.reached(event);
        // Only one payment pays an order. What the others take is listed, and flagged.
        if !order.is_paid_by_another || self.status == Completed {
            if let Some(paying) = self.paying(event) {
                return Some((Completed, paying.id.clone()));
            }
            if reached == Some(AttemptStatus::Refunded) && self.status != Refunded {
                return Some((Refunded, named()));
            }
        }
        if reached == Some(AttemptStatus::Failed) && self.status == Created {
            return Some((Failed, named()));
        }
        None
    }

    /// Returns the attempt that pays: the one that did before, the one that the event names, or the
    /// first other one that holds the price.
    fn paying(&self, event: &PaymentEvent) -> Option<&Attempt> {
        let holding = |attempt: &&Attempt| attempt.holds_money();
        let payer = self.payer().and_then(|id| self.attempt(id));
        let named = || {
            let pays = self.reached(event) == Some(AttemptStatus::Completed);
            self.attempt(&event.attempt).filter(|_| pays)
        };
        let price = self.price();
        let other = || {
            let mut attempts = self.attempts.iter().filter(holding);
            attempts.find(|attempt| attempt.is_over(&price))
        };
        payer.filter(holding).or_else(named).or_else(other)
    }

    /// Returns how far the attempt of an event has come, if the event is over the price: others
    /// count for no status.
    fn reached(&self, event: &PaymentEvent) -> Option<AttemptStatus> {
        let price = self.price();
        let is_price = |money: &Money| *money == price || planted(Fault::WrongAmountPays);
        if !event.money.as_ref().is_none_or(is_price) {
            return None;
        }
        let attempt = self.attempt(&event.attempt)?;
        if attempt.is_over(&price) {
            return Some(attempt.status);
        }
        // Another event was over another amount, and may have moved the attempt. What counted
        // before is what the payment has from it.
        let is_own = self.razorpay_payment_id.as_ref() == Some(&event.attempt);
        let counted = AttemptStatus::of(self.status).filter(|_| is_own);
        Some(event.status).max(counted)
    }

    /// Returns the id of the attempt that pays a completed payment.
    fn payer(&self) -> Option<&str> {
        let id = self.razorpay_payment_id.as_deref();
        id.filter(|_| self.status == PaymentStatus::Completed)
    }

    fn attempt(&self, id: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// Returns whether the step from this payment to the next calls for a flag.
    fn is_due(
        &self,
        flag: PaymentFlag,
        next: &Self,
        event: &PaymentEvent,
        order: OrderSituation,
    ) -> bool {
        use PaymentStatus::{Completed, Created};
        match flag {
            PaymentFlag::SecondCapture if planted(Fault::SecondCaptureUnflagged) => false,
            PaymentFlag::OrderCancelled if planted(Fault::CancelledUnflagged) => false,
            PaymentFlag::LateSuccess if planted(Fault::LateSuccessUnflagged) => false,
            PaymentFlag::SecondCapture => next.holds_too_much(event, order),
            PaymentFlag::AmountMismatch => {
                let price = self.price();
                event.money.as_ref().is_some_and(|money| *money != price)
            }
            PaymentFlag::OrderCancelled => order.is_cancelled && self.takes_money(next, event),
            PaymentFlag::LateSuccess => {
                let is_late = !matches!(self.status, Created | Completed);
                is_late && order.has_another_open && next.status == Completed
            }
            _ => false,
        }
    }

    /// Returns whether an attempt holds money and does not pay the order.
    fn holds_too_much(&self, event: &PaymentEvent, order: OrderSituation) -> bool {
        let is_unlisted = self.attempt(&event.attempt).is_none();
        if is_unlisted && event.status == AttemptStatus::Completed {
            return true;
        }
        let is_paid = self.status == PaymentStatus::Completed || order.is_paid_by_another;
        let mut holding = self.attempts.iter().filter(|attempt| attempt.holds_money());
        is_paid && holding.any(|attempt| self.payer() != Some(&attempt.id))
    }

    /// Returns whether the attempt that the event names holds money in the next version of this
    /// payment, and did not before.
    #[must_use]
    pub fn takes_money(&self, next: &Self, event: &PaymentEvent) -> bool {
        let holds = |payment: &Self| {
            let attempt = payment.attempt(&event.attempt);
            attempt.is_some_and(Attempt::holds_money)
        };
        holds(next) && !holds(self)
    }
}

/// Returns the statuses between two. A refund that arrives before the completion proves the
/// completion.
fn steps(from: PaymentStatus, to: PaymentStatus) -> Vec<PaymentStatus> {
    use PaymentStatus::{Completed, Created, Failed, Refunded};
    match (from, to) {
        (Created | Failed, Refunded) if planted(Fault::PaymentStepsSwapped) => {
            vec![Refunded, Completed]
        }
        (Created | Failed, Refunded) => vec![Completed, Refunded],
        _ if planted(Fault::WebhookAppliedTwice) => vec![to],
        _ if from == to => Vec::new(),
        _ => vec![to],
    }
}
