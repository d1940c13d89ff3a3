//! Payments. A payment is one order at the provider. Customers may make several *attempts* at it,
//! each with an id of its own, `pay_…`.
//!
//! - [`Attempt`], and how an event of the provider changes the attempt that it names.
//! - [`PaymentEvent`] and [`OrderSituation`]: what a decision depends on.
//! - [`Payment::settled`]: the decision. It is pure; repeated events change nothing, and events in
//!   any order lead to the same status and the same attempts.

mod attempt;
mod event;
mod settle;
#[cfg(test)]
mod tests;

use metaia_realtime::{
    OrderId, UserId,
    event::{PaymentFlag, PaymentStatus, PaymentUpdate},
    planted_faults::{Fault, planted},
};
use serde::{Deserialize, Serialize};

use super::{Order, PaymentId, Timestamp};

pub use attempt::{Attempt, MAX_LISTED_ATTEMPTS};
pub use event::{AttemptStatus, Money, OrderSituation, PaymentEvent};
pub use settle::Settlement;

/// A payment of one order at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Payment {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    #[schema(value_type = String)]
    pub id: PaymentId,
    /// The order that it pays.
    #[schema(value_type = String)]
    pub order: OrderId,
    /// The customer who pays.
    #[schema(value_type = String)]
    pub customer: UserId,
    /// The provider's id of the order.
    pub razorpay_order_id: String,
    /// The provider's id of the attempt that gave the payment its status, once there is one. If
    /// the status is `completed`, this is the attempt that pays.
    pub razorpay_payment_id: Option<String>,
    /// In the minor unit of the currency.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// `created`, `completed`, `failed` or `refunded`.
    #[schema(value_type = String)]
    pub status: PaymentStatus,
    /// RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// The attempts that the provider reported. Payments of earlier versions have none.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// The reasons why a person should look at it: `second_capture`, `amount_mismatch`,
    /// `order_cancelled`, `late_success`. A flag stays for good.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub flags: Vec<PaymentFlag>,
    /// The number of changes, from 1 on: the condition of an update. Stores keep it beside the
    /// document.
    #[serde(skip, default = "first_version")]
    pub version: u64,
}

const fn first_version() -> u64 {
    1
}

impl Payment {
    /// Returns the payment that was opened at the provider for an order.
    #[must_use]
    pub fn open(id: PaymentId, order: &Order, razorpay_order_id: String, now: Timestamp) -> Self {
        Self {
            id,
            order: order.id.clone(),
            customer: order.customer.clone(),
            razorpay_order_id,
            razorpay_payment_id: None,
            amount: order.amount,
            currency: order.currency.clone(),
            status: PaymentStatus::Created,
            created_at: now,
            attempts: Vec::new(),
            flags: Vec::new(),
            version: first_version(),
        }
    }

    /// Returns this open payment after another payment of its order has completed.
    #[must_use]
    pub fn superseded(&self) -> Self {
        Self {
            status: PaymentStatus::Failed,
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// Returns a payment that was read from a store, with the attempt that it names. Payments that
    /// were stored or moved by an earlier version name an attempt, and do not list it.
    #[must_use]
    pub fn with_named_attempt(mut self) -> Self {
        let Some(status) = AttemptStatus::of(self.status) else {
            return self;
        };
        let Some(id) = self.razorpay_payment_id.clone() else {
            return self;
        };
        match self.attempts.iter_mut().find(|attempt| attempt.id == id) {
            Some(attempt) => attempt.status = attempt.status.max(status),
            None => self.attempts.push(Attempt {
                id,
                status,
                amount: self.amount,
                currency: self.currency.clone(),
                at: self.created_at,
            }),
        }
        self
    }

    /// Returns the amount that is to be paid.
    #[must_use]
    pub fn price(&self) -> Money {
        Money {
            amount: self.amount,
            currency: self.currency.clone(),
        }
    }

    /// Returns the payload of `payment_update` for this payment.
    #[must_use]
    pub fn update(&self) -> PaymentUpdate {
        let is_in_rupees = planted(Fault::PaymentAmountWrong);
        PaymentUpdate {
            payment_id: self.id.to_string(),
            order_id: self.order.clone(),
            status: self.status,
            amount: if is_in_rupees {
                self.amount / 100
            } else {
                self.amount
            },
            currency: self.currency.clone(),
            flags: self.flags.clone(),
        }
    }
}
