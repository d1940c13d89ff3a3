//! What the payment provider says by itself: signed, in any order, sometimes twice.

use metaia_realtime::event::PaymentStatus;
use serde::{Deserialize, Serialize};

use super::{ATTEMPTS, ServiceError, Services, payments::advancing};
use crate::{
    model::Payment,
    payment::signature::webhook_is_valid,
    store::{Answer, Change, CommitError, PaymentKey, Write},
};

/// A delivery of the provider.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The body, byte for byte: it is what is signed.
    pub body: &'a [u8],
    /// `x-razorpay-signature`.
    pub signature: Option<&'a str>,
    /// `x-razorpay-event-id`: the same event may be delivered again and again.
    pub event_id: Option<&'a str>,
}

/// The part of the provider's document that matters here; it has many more members.
#[derive(Debug, Deserialize)]
struct Document {
    event: String,
    #[serde(default)]
    payload: Payload,
}

#[derive(Debug, Default, Deserialize)]
struct Payload {
    payment: Option<Holder<PaymentEntity>>,
}

#[derive(Debug, Deserialize)]
struct Holder<T> {
    entity: T,
}

#[derive(Debug, Deserialize)]
struct PaymentEntity {
    id: String,
    order_id: Option<String>,
    amount: i64,
    currency: String,
    /// `partial` where a refund left something paid.
    refund_status: Option<String>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Fate {
    /// The payment moved on.
    Applied,
    /// It was dealt with before.
    Duplicate,
    /// It concerns nothing here, or says nothing new.
    Ignored,
}

impl Services {
    /// Takes a delivery of the provider. An event is remembered in the same act as what it changes:
    /// a delivery that was refused or not committed can come again.
    ///
    /// # Errors
    /// See [`ServiceError`]: `ForgedWebhook`, `InvalidWebhook` where it is not what the provider
    /// documents.
    pub async fn take_delivery(&self, delivery: Delivery<'_>) -> Result<Answer, ServiceError> {
        let event_id = self.require_genuine(delivery)?;
        let document: Document = serde_json::from_slice(delivery.body).map_err(|_| {
            ServiceError::InvalidWebhook("The body is not an event of the provider.")
        })?;
        for _ in 0..ATTEMPTS {
            let mut change = self.change_of(&document).await?;
            change
                .writes
                .insert(0, Write::ProviderEvent(event_id.to_owned()));
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                Err(CommitError::Seen) => return Ok(answer(Fate::Duplicate)),
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }

    fn require_genuine<'a>(&self, delivery: Delivery<'a>) -> Result<&'a str, ServiceError> {
        let signed = self
            .0
            .payments
            .webhook_secret
            .as_ref()
            .zip(delivery.signature);
        if !signed
            .is_some_and(|(secret, signature)| webhook_is_valid(secret, delivery.body, signature))
        {
            return Err(ServiceError::ForgedWebhook);
        }
        let shape = |id: &&str| (1..=128).contains(&id.len());
        delivery
            .event_id
            .filter(shape)
            .ok_or(ServiceError::InvalidWebhook(
                "x-razorpay-event-id is missing.",
            ))
    }

    /// What the event changes: nothing, or a payment moves on.
    async fn change_of(&self, document: &Document) -> Result<Change, ServiceError> {
        let ignored = || Change::answering(answer(Fate::Ignored));
        let Some((to, entity)) = document.meaning() else {
            return Ok(ignored());
        };
        let Some(order_id) = &entity.order_id else {
            return Ok(ignored());
        };
        let Some(payment) = self
            .store()
            .payment(PaymentKey::Provider(order_id.clone()))
            .await?
        else {
            tracing::warn!(
                event = document.event,
                "the provider tells of an order that is not ours"
            );
            return Ok(ignored());
        };
        require_amount(&payment, entity)?;
        let change = advancing(&payment, to, Some(&entity.id))?;
        Ok(change.map_or_else(ignored, |change| Change {
            reply: Box::new(|_| answer(Fate::Applied)),
            ..change
        }))
    }
}

impl Document {
    /// Where the event moves which payment, if it is one of those that matter.
    fn meaning(&self) -> Option<(PaymentStatus, &PaymentEntity)> {
        let entity = &self.payload.payment.as_ref()?.entity;
        let to = match &*self.event {
            "payment.captured" | "order.paid" => PaymentStatus::Completed,
            "payment.failed" => PaymentStatus::Failed,
            "refund.processed" if entity.refund_status.as_deref() != Some("partial") => {
                PaymentStatus::Refunded
            }
            _ => return None,
        };
        Some((to, entity))
    }
}

/// A genuine event over another amount would complete an order that was not paid for.
fn require_amount(payment: &Payment, entity: &PaymentEntity) -> Result<(), ServiceError> {
    if payment.amount == entity.amount && payment.currency == entity.currency {
        return Ok(());
    }
    tracing::error!(payment = %payment.id, "the provider tells of another amount than the order's");
    Err(ServiceError::InvalidWebhook(
        "The amount is not that of the payment.",
    ))
}

fn answer(result: Fate) -> Answer {
    /// `{"result": …}`
    #[derive(Serialize)]
    struct Shown {
        result: Fate,
    }
    Answer::success(200, Shown { result })
}
