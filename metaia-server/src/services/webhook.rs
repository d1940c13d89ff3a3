//! Webhooks of the payment provider: signed events that arrive in any order, sometimes repeatedly.

use metaia_realtime::event::PaymentStatus;
use serde::{Deserialize, Serialize};

use super::{
    error::ServiceError,
    handle::{MAX_ATTEMPTS, Services},
    payments::advancement,
};
use crate::{
    model::{Payment, whole},
    payment::signature::webhook_is_valid,
    store::{Change, CommitError, PaymentKey, StoredReply, Write},
};

/// The longest id of an event that is accepted, in bytes.
const MAX_EVENT_ID_BYTES: usize = 128;

/// A delivery of the provider.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The body, byte for byte: the signature is over it.
    pub body: &'a [u8],
    /// `x-razorpay-signature`.
    pub signature: Option<&'a str>,
    /// `x-razorpay-event-id`: the same event may be delivered repeatedly.
    pub event_id: Option<&'a str>,
}

/// The members of the provider's document that the server reads; it has many more.
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
    #[serde(deserialize_with = "whole::in_json")]
    amount: i64,
    currency: String,
    /// `partial` if a refund paid back only a part.
    refund_status: Option<String>,
}

/// The result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryResult {
    /// The payment has a new status.
    Applied,
    /// The event was delivered before.
    Duplicate,
    /// The event concerns no known payment, or changes nothing.
    Ignored,
}

impl Services {
    /// Processes a delivery of the provider. The event's id is stored in the same change as its
    /// effect: a delivery that was refused or not committed can be repeated. `reply` makes the
    /// reply from the result.
    ///
    /// # Errors
    /// Returns `ForgedWebhook` if the signature is wrong, `InvalidWebhook` if the body is not what
    /// the provider documents, and the errors of the store; see [`ServiceError`].
    pub async fn receive_delivery(
        &self,
        delivery: Delivery<'_>,
        reply: fn(DeliveryResult) -> StoredReply,
    ) -> Result<StoredReply, ServiceError> {
        let event_id = self.require_genuine(delivery)?;
        let document: Document = serde_json::from_slice(delivery.body).map_err(|_| {
            ServiceError::InvalidWebhook("The body is not an event of the provider.")
        })?;
        for _ in 0..MAX_ATTEMPTS {
            let mut change = self.change_of(&document, reply).await?;
            let seen = Write::ProviderEvent(event_id.to_owned());
            change.writes.insert(0, seen);
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                Err(CommitError::Seen) => return Ok(reply(DeliveryResult::Duplicate)),
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }

    /// Checks the signature, and returns the id of the event.
    fn require_genuine<'a>(&self, delivery: Delivery<'a>) -> Result<&'a str, ServiceError> {
        let secret = self.payment_settings().webhook_secret.as_ref();
        let (Some(secret), Some(signature)) = (secret, delivery.signature) else {
            return Err(ServiceError::ForgedWebhook);
        };
        if !webhook_is_valid(secret, delivery.body, signature) {
            return Err(ServiceError::ForgedWebhook);
        }
        match delivery.event_id {
            Some(id) if (1..=MAX_EVENT_ID_BYTES).contains(&id.len()) => Ok(id),
            _ => Err(ServiceError::InvalidWebhook(
                "x-razorpay-event-id is missing or too long.",
            )),
        }
    }

    /// Returns the change that an event makes. Most events change nothing.
    async fn change_of(
        &self,
        document: &Document,
        reply: fn(DeliveryResult) -> StoredReply,
    ) -> Result<Change, ServiceError> {
        let ignored = || Change::replying(reply(DeliveryResult::Ignored));
        let Some((to, entity)) = document.transition() else {
            return Ok(ignored());
        };
        let Some(order_id) = &entity.order_id else {
            return Ok(ignored());
        };
        let key = PaymentKey::Provider(order_id.clone());
        let Some(payment) = self.store().payment(key).await? else {
            tracing::warn!(
                event = document.event,
                "webhook ignored: its order is not one of ours"
            );
            return Ok(ignored());
        };
        require_amount(&payment, entity)?;
        let applied = |_: &Payment| reply(DeliveryResult::Applied);
        let change = advancement(&payment, to, Some(&entity.id), applied)?;
        Ok(change.unwrap_or_else(ignored))
    }
}

impl Document {
    /// Returns the status to which the event moves a payment, if the event has an effect.
    fn transition(&self) -> Option<(PaymentStatus, &PaymentEntity)> {
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

/// Refuses an event over another amount. A genuine one would complete an order that was not fully
/// paid.
fn require_amount(payment: &Payment, entity: &PaymentEntity) -> Result<(), ServiceError> {
    if payment.amount == entity.amount && payment.currency == entity.currency {
        return Ok(());
    }
    tracing::error!(payment = %payment.id, "webhook refused: its amount is not the payment's");
    Err(ServiceError::InvalidWebhook(
        "The amount is not the payment's.",
    ))
}
