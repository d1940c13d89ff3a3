//! Confirming a payment by the result of the provider's checkout, which the app sends.

use metaia_realtime::{
    Role,
    event::PaymentStatus,
    planted_faults::{Fault, planted},
};
use serde::{Deserialize, Serialize};

use super::payment_id::is_payment_id;
use crate::{
    model::{AttemptStatus, Caller, Payment, PaymentEvent, Timestamp},
    payment::signature::checkout_is_valid,
    services::{
        error::ServiceError,
        handle::{MAX_ATTEMPTS, Services},
        idempotency::IdempotentReply,
        permissions::only,
    },
    store::{CommitError, IdempotencyClaim, StoredReply},
};

/// The body of `POST /api/payments/verify`: the result that the app got from the provider's
/// checkout. Further members are ignored: money was taken, and the app sends what it got.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Verification {
    /// The provider's id of the order.
    pub razorpay_order_id: String,
    /// The provider's id of the payment.
    pub razorpay_payment_id: String,
    /// HMAC-SHA256 of `order|payment` with the key secret, in hex.
    pub razorpay_signature: String,
}

impl Verification {
    /// Returns what the checkout reports: its signature says that the attempt paid.
    fn event(&self) -> PaymentEvent {
        PaymentEvent {
            attempt: self.razorpay_payment_id.clone(),
            status: AttemptStatus::Completed,
            money: None,
            at: Timestamp::now(),
        }
    }
}

impl Services {
    /// Confirms a payment by the result of the provider's checkout, for its customer. `reply` makes
    /// the reply from the payment.
    ///
    /// A checkout that took money succeeds, even if the order is paid already: the attempt is
    /// listed, and flagged.
    ///
    /// # Errors
    /// See [`ServiceError`]. Returns `PaymentClosed` if the payment was paid back, and `Invalid` if
    /// the id of the payment does not have the provider's form. If money was taken all the same,
    /// the provider's webhook records it.
    pub async fn verify_payment(
        &self,
        caller: &Caller,
        key: Option<&str>,
        verification: Verification,
        reply: fn(&Payment) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        only(Role::Customer, caller)?;
        let work = |claim| self.verify(caller, &verification, claim, reply);
        let route = "POST /api/payments/verify";
        self.idempotently(caller, route, key, &verification, work)
            .await
    }

    async fn verify(
        &self,
        caller: &Caller,
        given: &Verification,
        claim: Option<IdempotencyClaim>,
        reply: fn(&Payment) -> StoredReply,
    ) -> Result<StoredReply, ServiceError> {
        // Here, so that a request of an earlier version gets its first reply under its key.
        require_payment_id(&given.razorpay_payment_id)?;
        let event = given.event();
        for _ in 0..MAX_ATTEMPTS {
            let payment = self.own_payment(caller, &given.razorpay_order_id).await?;
            self.require_signed(&payment, given)?;
            let decision = self.decide(payment, &event).await?;
            let payment = decision.payment();
            if !decision.is_change() && payment.status == PaymentStatus::Refunded {
                return Err(ServiceError::PaymentClosed);
            }
            let mut change = decision.change(reply(payment))?;
            change.claim = claim.clone();
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                Err(error) => return Err(error.into()),
                Ok(reply) => {
                    self.report(&decision, &event);
                    return Ok(reply);
                }
            }
        }
        Err(ServiceError::Busy)
    }

    /// Returns a payment of the calling customer.
    async fn own_payment(
        &self,
        caller: &Caller,
        razorpay_order_id: &str,
    ) -> Result<Payment, ServiceError> {
        let user = only(Role::Customer, caller)?;
        let own = self.store().own_payment(user, razorpay_order_id).await?;
        own.filter(|payment| payment.customer == *user)
            .ok_or(ServiceError::NotFound)
    }

    /// Checks the signature of a checkout over the order id of *our* record, not of the caller's.
    fn require_signed(&self, payment: &Payment, given: &Verification) -> Result<(), ServiceError> {
        let is_valid = checkout_is_valid(
            &self.payment_settings().key_secret,
            &payment.razorpay_order_id,
            &given.razorpay_payment_id,
            &given.razorpay_signature,
        );
        if is_valid || planted(Fault::TamperedPaymentAccepted) {
            Ok(())
        } else {
            Err(ServiceError::InvalidSignature)
        }
    }
}

/// Checks that an id has the form of the provider's.
fn require_payment_id(id: &str) -> Result<(), ServiceError> {
    if is_payment_id(id) {
        return Ok(());
    }
    let message = "must be pay_ and 1 to 40 of A-Z a-z 0-9";
    Err(ServiceError::invalid("/razorpay_payment_id", message))
}
