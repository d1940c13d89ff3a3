//! The facts that a decision on a payment depends on.

use metaia_realtime::event::PaymentStatus;
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// An amount with its currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    /// In the minor unit of the currency.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

/// The progress of an attempt. It only moves forward, in the order of the variants: a refund that
/// arrives before the capture proves the capture, and an attempt that failed may be captured late.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// No money was taken.
    Failed,
    /// Money was taken.
    Completed,
    /// The money was paid back.
    Refunded,
}

/// A report on one attempt: by an event of the provider, or by a signed result of its checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentEvent {
    /// The provider's id of the attempt.
    pub attempt: String,
    /// Its progress.
    pub status: AttemptStatus,
    /// The reported amount. A checkout's result has none: its signature says that the payment was
    /// paid.
    pub money: Option<Money>,
    /// The time at which the server was told.
    pub at: Timestamp,
}

/// The situation of a payment's order when an event arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderSituation {
    /// The order is cancelled.
    pub is_cancelled: bool,
    /// Another payment of the order has completed.
    pub is_paid_by_another: bool,
    /// Another payment of the order is open.
    pub has_another_open: bool,
}

impl AttemptStatus {
    /// Returns the status of the attempt that gave a payment this status.
    pub(super) const fn of(payment: PaymentStatus) -> Option<Self> {
        match payment {
            PaymentStatus::Created => None,
            PaymentStatus::Failed => Some(Self::Failed),
            PaymentStatus::Completed => Some(Self::Completed),
            PaymentStatus::Refunded => Some(Self::Refunded),
        }
    }
}
