//! Payments. Their status moves in one direction, `created → failed → completed → refunded`, and
//! may skip those in the middle.

use metaia_realtime::{
    OrderId, UserId,
    event::{PaymentStatus, PaymentUpdate},
};
use serde::{Deserialize, Serialize};

use super::{Order, PaymentId, Timestamp};

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
    /// The provider's id of the payment, once there is one.
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
}

/// Returns the steps from one status to another: no steps if both are the same, `None` if the
/// status cannot be reached.
///
/// The provider's events may arrive in any order: a refund that arrives before the completion
/// proves the completion. A completion may follow a failure: the provider allows several attempts
/// at one order, and one that succeeds must not be lost because an earlier one failed.
#[must_use]
pub const fn advance(from: PaymentStatus, to: PaymentStatus) -> Option<&'static [PaymentStatus]> {
    use PaymentStatus::{Completed, Created, Failed, Refunded};
    match (from, to) {
        (Created, Created) | (Completed, Completed) | (Failed, Failed) | (Refunded, Refunded) => {
            Some(&[])
        }
        (Created | Failed, Completed) => Some(&[Completed]),
        (Created, Failed) => Some(&[Failed]),
        (Created | Failed, Refunded) => Some(&[Completed, Refunded]),
        (Completed, Refunded) => Some(&[Refunded]),
        (Completed, Created | Failed)
        | (Failed, Created)
        | (Refunded, Created | Completed | Failed) => None,
    }
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
        }
    }

    /// Returns the payment in each status that it passes on the way to `to`; the last is its new
    /// state. `None` if `to` cannot be reached.
    #[must_use]
    pub fn advanced(
        &self,
        to: PaymentStatus,
        razorpay_payment_id: Option<&str>,
    ) -> Option<Vec<Self>> {
        let payment_id = razorpay_payment_id
            .map(str::to_owned)
            .or_else(|| self.razorpay_payment_id.clone());
        let at = |status: &PaymentStatus| Self {
            status: *status,
            razorpay_payment_id: payment_id.clone(),
            ..self.clone()
        };
        Some(advance(self.status, to)?.iter().map(at).collect())
    }

    /// Returns the payload of `payment_update` for this payment.
    #[must_use]
    pub fn update(&self) -> PaymentUpdate {
        PaymentUpdate {
            payment_id: self.id.to_string(),
            order_id: self.order.clone(),
            status: self.status,
            amount: self.amount,
            currency: self.currency.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PaymentStatus::*, *};
    use proptest::{prelude::*, sample::select};

    const ALL: [PaymentStatus; 4] = [Created, Completed, Failed, Refunded];

    proptest! {
        /// In any order and number of the provider's events, the status only moves forward, and
        /// ends at the furthest that an event named.
        #[test]
        fn events_in_any_order_lead_to_one_end(
            events in proptest::collection::vec(select(&ALL[1..]), 0..20)
        ) {
            let mut status = Created;
            for to in &events {
                for next in advance(status, *to).into_iter().flatten() {
                    prop_assert!(matches!(
                        (status, *next),
                        (Created, Failed) | (Created | Failed, Completed) | (Completed, Refunded)
                    ));
                    status = *next;
                }
            }
            let ranking = [Refunded, Completed, Failed];
            let furthest = ranking.into_iter().find(|status| events.contains(status));
            let expected = furthest.unwrap_or(Created);
            prop_assert_eq!(status, expected);
        }
    }

    #[test]
    fn the_same_status_takes_no_steps() {
        for status in ALL {
            assert_eq!(advance(status, status), Some(&[][..]));
        }
    }
}
