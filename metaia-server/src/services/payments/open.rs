//! Opening a payment at the provider, for the order's customer.

use metaia_realtime::{OrderId, Role, event::PaymentStatus};

use crate::{
    model::{Caller, Order, OrderStatus, Payment, PaymentId, Timestamp},
    payment::NewPaymentOrder,
    services::{
        error::ServiceError,
        handle::{MAX_ATTEMPTS, Services},
        idempotency::IdempotentReply,
        permissions::only,
    },
    store::{Change, CommitError, IdempotencyClaim, StoreError, StoredReply, Write},
};

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
            let standing = self.store().standing_payments(&order.id).await?;
            if !standing.unreadable.is_empty() {
                // The customer must not pay again before it is known that this one is not paid.
                let what = "a payment of the order cannot be read".into();
                return Err(StoreError::Corrupt(what).into());
            }
            let mut change = match standing.payments.first() {
                Some(payment) if payment.status == PaymentStatus::Created => {
                    Change::replying(reply(payment, key_id))
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
}
