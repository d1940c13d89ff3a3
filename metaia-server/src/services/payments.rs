//! Payments: opened at the provider for the order's customer, confirmed by a right signature.

use std::{fmt, sync::Arc};

use metaia_realtime::{
    NewEntry, OrderId, Role,
    event::{PaymentStatus, PaymentUpdate},
};
use serde::{Deserialize, Serialize};

use super::{ATTEMPTS, Outcome, ServiceError, Services, notifications::tell, only};
use crate::{
    auth::secrets::Secret,
    model::{Caller, Notice, Order, OrderStatus, Payment, PaymentId, Timestamp},
    payment::{NewPaymentOrder, PaymentProvider, signature::checkout_is_valid},
    store::{Answer, Change, Claim, CommitError, PaymentKey, Write},
};

/// The provider, and the secrets shared with it.
#[derive(Clone)]
pub struct PaymentSettings {
    /// Where payments are opened.
    pub provider: Arc<dyn PaymentProvider>,
    /// The public half of the key, which the apps' checkout needs.
    pub key_id: String,
    /// Signs checkouts.
    pub key_secret: Secret,
    /// Signs webhooks. Without one every webhook is refused.
    pub webhook_secret: Option<Secret>,
}

impl fmt::Debug for PaymentSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentSettings")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The body of `POST /api/payments/verify`: what the provider's checkout gave to the app.
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

impl Services {
    /// Opens the payment of an order, by its customer. A payment that is open already is answered
    /// as it is.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn open_payment(
        &self,
        caller: &Caller,
        key: Option<&str>,
        id: OrderId,
    ) -> Result<Outcome, ServiceError> {
        only(Role::Customer, caller)?;
        let (order, _) = self.order_of(caller, &id).await?;
        let work = |claim| self.open(order, claim);
        self.once(caller, "POST /api/payments/orders", key, &id, work)
            .await
    }

    async fn open(&self, order: Order, claim: Option<Claim>) -> Result<Answer, ServiceError> {
        if order.status == OrderStatus::Cancelled {
            return Err(ServiceError::OrderClosed(order.status));
        }
        if order.amount < 1 {
            return Err(ServiceError::NothingToPay);
        }
        for _ in 0..ATTEMPTS {
            let (payment, new) = match self
                .store()
                .payment(PaymentKey::Standing(order.id.clone()))
                .await?
            {
                Some(payment) if payment.status == PaymentStatus::Created => (payment, None),
                Some(_) => return Err(ServiceError::AlreadyPaid),
                None => self
                    .opened(&order)
                    .await
                    .map(|payment| (payment.clone(), Some(payment)))?,
            };
            let mut change = Change::answering(self.showing_opened(&payment));
            change.writes.extend(new.map(Write::NewPayment));
            change.claim = claim.clone();
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }

    /// A new payment at the provider.
    async fn opened(&self, order: &Order) -> Result<Payment, ServiceError> {
        let id = PaymentId::random();
        let (amount, currency, receipt) = (order.amount, &*order.currency, &*id.to_string());
        let provider = &self.0.payments.provider;
        let opened = provider
            .open(NewPaymentOrder {
                amount,
                currency,
                receipt,
            })
            .await;
        let razorpay_order_id = opened.map_err(ServiceError::Provider)?;
        Ok(Payment::open(
            id,
            order,
            razorpay_order_id,
            Timestamp::now(),
        ))
    }

    /// Confirms a payment by what the provider's checkout gave, by its customer.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn verify_payment(
        &self,
        caller: &Caller,
        key: Option<&str>,
        verification: Verification,
    ) -> Result<Outcome, ServiceError> {
        only(Role::Customer, caller)?;
        let work = |claim| self.verify(caller, &verification, claim);
        self.once(
            caller,
            "POST /api/payments/verify",
            key,
            &verification,
            work,
        )
        .await
    }

    async fn verify(
        &self,
        caller: &Caller,
        given: &Verification,
        claim: Option<Claim>,
    ) -> Result<Answer, ServiceError> {
        for _ in 0..ATTEMPTS {
            let payment = self.own_payment(caller, &given.razorpay_order_id).await?;
            self.require_signed(&payment, given)?;
            let change = completing(&payment, &given.razorpay_payment_id)?;
            let mut change = change.unwrap_or_else(|| Change::answering(showing(&payment)));
            change.claim = claim.clone();
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }

    async fn own_payment(
        &self,
        caller: &Caller,
        razorpay_order_id: &str,
    ) -> Result<Payment, ServiceError> {
        let user = only(Role::Customer, caller)?;
        let payment = self
            .store()
            .payment(PaymentKey::Provider(razorpay_order_id.to_owned()))
            .await?;
        payment
            .filter(|payment| payment.customer == *user)
            .ok_or(ServiceError::NotFound)
    }

    /// Checked over the id of *our* record.
    fn require_signed(&self, payment: &Payment, given: &Verification) -> Result<(), ServiceError> {
        let (secret, order) = (&self.0.payments.key_secret, &payment.razorpay_order_id);
        if checkout_is_valid(
            secret,
            order,
            &given.razorpay_payment_id,
            &given.razorpay_signature,
        ) {
            Ok(())
        } else {
            Err(ServiceError::InvalidSignature)
        }
    }

    fn showing_opened(&self, payment: &Payment) -> Answer {
        /// `{"payment": …, "keyId": …}`
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown<'a> {
            payment: &'a Payment,
            key_id: &'a str,
        }
        Answer::success(
            201,
            Shown {
                payment,
                key_id: &self.0.payments.key_id,
            },
        )
    }
}

/// The change that completes a payment; `None` where this very payment has completed it.
fn completing(
    payment: &Payment,
    razorpay_payment_id: &str,
) -> Result<Option<Change>, ServiceError> {
    let paid_by = payment.razorpay_payment_id.as_deref();
    match payment.status {
        PaymentStatus::Created | PaymentStatus::Failed => {}
        PaymentStatus::Completed if paid_by == Some(razorpay_payment_id) => return Ok(None),
        PaymentStatus::Completed => return Err(ServiceError::AlreadyPaid),
        PaymentStatus::Refunded => return Err(ServiceError::PaymentClosed),
    }
    advancing(payment, PaymentStatus::Completed, Some(razorpay_payment_id))
}

/// The change that moves a payment on to `to`, telling of each step; `None` where it is there or
/// cannot get there.
pub(super) fn advancing(
    payment: &Payment,
    to: PaymentStatus,
    razorpay_payment_id: Option<&str>,
) -> Result<Option<Change>, ServiceError> {
    let steps = payment
        .advanced(to, razorpay_payment_id)
        .unwrap_or_default();
    let Some(last) = steps.last() else {
        return Ok(None);
    };
    let mut change = Change::answering(showing(last));
    change.writes.push(Write::Payment {
        payment: last.clone(),
        from: payment.status,
    });
    let now = Timestamp::now();
    for step in &steps {
        let rooms = PaymentUpdate::rooms(&step.customer);
        change.events.push(NewEntry::event(rooms, &step.update())?);
        tell(
            &mut change,
            [Notice::paid(&step.customer, &step.order, step.status)],
            now,
        )?;
    }
    Ok(Some(change))
}

fn showing(payment: &Payment) -> Answer {
    /// `{"payment": …}`
    #[derive(Serialize)]
    struct Shown<'a> {
        payment: &'a Payment,
    }
    Answer::success(200, Shown { payment })
}
