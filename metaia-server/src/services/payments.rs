//! Payments: opened at the provider by the order's customer, confirmed by a valid signature.

use metaia_realtime::{
    NewEntry, OrderId, Role,
    event::{PaymentStatus, PaymentUpdate},
};
use serde::{Deserialize, Serialize};

use super::{
    error::ServiceError,
    handle::{MAX_ATTEMPTS, Services},
    idempotency::IdempotentReply,
    notifications::add_notices,
    permissions::only,
};
use crate::{
    model::{Caller, Notice, Order, OrderStatus, Payment, PaymentId, Timestamp},
    payment::{NewPaymentOrder, signature::checkout_is_valid},
    store::{Change, CommitError, IdempotencyClaim, PaymentKey, StoredReply, Write},
};

/// The body of `POST /api/payments/verify`: the result that the app got from the provider's
/// checkout.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The provider's id of the order.
    pub razorpay_order_id: String,
    /// The provider's id of the payment.
    pub razorpay_payment_id: String,
    /// HMAC-SHA256 of `order|payment` with the key secret, in hex.
    pub razorpay_signature: String,
}

/// Makes the reply to a request for a payment from the payment and the public half of the
/// provider's key.
pub type OpenPaymentReply = fn(&Payment, &str) -> StoredReply;

impl Services {
    /// Opens the payment of an order, for its customer. A payment that is already open is returned
    /// as it is.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn open_payment(
        &self,
        caller: &Caller,
        key: Option<&str>,
        id: OrderId,
        reply: OpenPaymentReply,
    ) -> Result<IdempotentReply, ServiceError> {
        only(Role::Customer, caller)?;
        let (order, _) = self.visible_order(caller, &id).await?;
        let work = |claim| self.open(order, claim, reply);
        self.idempotently(caller, "POST /api/payments/orders", key, &id, work)
            .await
    }

    async fn open(
        &self,
        order: Order,
        claim: Option<IdempotencyClaim>,
        reply: OpenPaymentReply,
    ) -> Result<StoredReply, ServiceError> {
        if order.status == OrderStatus::Cancelled {
            return Err(ServiceError::OrderClosed(order.status));
        }
        if order.amount < 1 {
            return Err(ServiceError::NothingToPay);
        }
        let key_id = &self.payment_settings().key_id;
        for _ in 0..MAX_ATTEMPTS {
            let key = PaymentKey::Standing(order.id.clone());
            let mut change = match self.store().payment(key).await? {
                Some(payment) if payment.status == PaymentStatus::Created => {
                    Change::replying(reply(&payment, key_id))
                }
                Some(_) => return Err(ServiceError::AlreadyPaid),
                None => {
                    let payment = self.open_at_provider(&order).await?;
                    let mut change = Change::replying(reply(&payment, key_id));
                    change.writes.push(Write::NewPayment(payment));
                    change
                }
            };
            change.claim = claim.clone();
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }

    /// Opens a new payment at the provider.
    async fn open_at_provider(&self, order: &Order) -> Result<Payment, ServiceError> {
        let id = PaymentId::random();
        let receipt = id.to_string();
        let new = NewPaymentOrder {
            amount: order.amount,
            currency: &order.currency,
            receipt: &receipt,
        };
        let provider = &self.payment_settings().provider;
        let opened = provider.open(new).await;
        let razorpay_order_id = opened.map_err(ServiceError::Provider)?;
        let now = Timestamp::now();
        Ok(Payment::open(id, order, razorpay_order_id, now))
    }

    /// Confirms a payment by the result of the provider's checkout, for its customer. `reply` makes
    /// the reply from the payment.
    ///
    /// # Errors
    /// See [`ServiceError`].
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
        for _ in 0..MAX_ATTEMPTS {
            let payment = self.own_payment(caller, &given.razorpay_order_id).await?;
            self.require_signed(&payment, given)?;
            let mut change = match completion(&payment, &given.razorpay_payment_id, reply)? {
                Some(change) => change,
                None => Change::replying(reply(&payment)),
            };
            change.claim = claim.clone();
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                done => return Ok(done?),
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
        let key = PaymentKey::Provider(razorpay_order_id.to_owned());
        match self.store().payment(key).await? {
            Some(payment) if payment.customer == *user => Ok(payment),
            _ => Err(ServiceError::NotFound),
        }
    }

    /// Checks the signature of a checkout over the order id of *our* record, not of the caller's.
    fn require_signed(&self, payment: &Payment, given: &Verification) -> Result<(), ServiceError> {
        let is_valid = checkout_is_valid(
            &self.payment_settings().key_secret,
            &payment.razorpay_order_id,
            &given.razorpay_payment_id,
            &given.razorpay_signature,
        );
        if is_valid {
            Ok(())
        } else {
            Err(ServiceError::InvalidSignature)
        }
    }
}

/// Returns the change that completes a payment; `None` if the same payment of the provider has
/// completed it before.
fn completion(
    payment: &Payment,
    razorpay_payment_id: &str,
    reply: fn(&Payment) -> StoredReply,
) -> Result<Option<Change>, ServiceError> {
    let paid_by = payment.razorpay_payment_id.as_deref();
    match payment.status {
        PaymentStatus::Created | PaymentStatus::Failed => {}
        PaymentStatus::Completed if paid_by == Some(razorpay_payment_id) => return Ok(None),
        PaymentStatus::Completed => return Err(ServiceError::AlreadyPaid),
        PaymentStatus::Refunded => return Err(ServiceError::PaymentClosed),
    }
    let to = PaymentStatus::Completed;
    advancement(payment, to, Some(razorpay_payment_id), reply)
}

/// Returns the change that moves a payment to the status `to` and publishes each step; `None` if
/// the payment already has the status or cannot reach it. `reply` makes the reply from the payment
/// in its new state.
pub(super) fn advancement(
    payment: &Payment,
    to: PaymentStatus,
    razorpay_payment_id: Option<&str>,
    reply: impl Fn(&Payment) -> StoredReply,
) -> Result<Option<Change>, ServiceError> {
    let steps = payment
        .advanced(to, razorpay_payment_id)
        .unwrap_or_default();
    let Some(last) = steps.last() else {
        return Ok(None);
    };
    let mut change = Change::replying(reply(last));
    change.writes.push(Write::Payment {
        payment: last.clone(),
        from: payment.status,
    });
    let now = Timestamp::now();
    for step in &steps {
        let rooms = PaymentUpdate::rooms(&step.customer);
        change.events.push(NewEntry::event(rooms, &step.update())?);
        let notice = Notice::paid(&step.customer, &step.order, step.status);
        add_notices(&mut change, [notice], now)?;
    }
    Ok(Some(change))
}
