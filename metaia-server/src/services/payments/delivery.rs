//! Webhooks of the payment provider: signed events that arrive in any order, sometimes repeatedly.
//!
//! The provider repeats what is not answered with success. So a signed delivery fails only if a
//! repetition can succeed: if the store is away, or busy.

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    counts::IgnoredDelivery,
    provider_event::{ProviderEvent, Unused},
    settle::PaymentDecision,
};
use crate::{
    payment::signature::webhook_is_valid,
    services::{
        error::ServiceError,
        handle::{MAX_ATTEMPTS, Services},
    },
    store::{CommitError, StoredReply, Write},
};

/// The longest id of an event that is stored, in bytes.
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

impl<'a> Delivery<'a> {
    /// Returns the id under which the event is seen once: the provider's, or one made from the
    /// body if a proxy has removed it.
    fn id(&self) -> Cow<'a, str> {
        match self.event_id {
            Some(id) if (1..=MAX_EVENT_ID_BYTES).contains(&id.len()) => Cow::Borrowed(id),
            _ => Cow::Owned(format!("sha256:{}", hex::encode(Sha256::digest(self.body)))),
        }
    }
}

/// The result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryResult {
    /// The payment has changed: its status, an attempt, or a flag.
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
    /// Returns `ForgedWebhook` if the signature is wrong, and the errors of the store; see
    /// [`ServiceError`].
    pub async fn receive_delivery(
        &self,
        delivery: Delivery<'_>,
        reply: fn(DeliveryResult) -> StoredReply,
    ) -> Result<StoredReply, ServiceError> {
        self.require_genuine(delivery)?;
        let id = delivery.id();
        match ProviderEvent::read(delivery.body) {
            Ok(reported) => self.apply(&reported, &id, reply).await,
            Err(unused) => Ok(reply(self.ignore(&id, &unused))),
        }
    }

    /// Checks the signature.
    fn require_genuine(&self, delivery: Delivery<'_>) -> Result<(), ServiceError> {
        let secret = self.payment_settings().webhook_secret.as_ref();
        let (Some(secret), Some(signature)) = (secret, delivery.signature) else {
            return Err(ServiceError::ForgedWebhook);
        };
        if webhook_is_valid(secret, delivery.body, signature) {
            Ok(())
        } else {
            Err(ServiceError::ForgedWebhook)
        }
    }

    /// Applies an event to the payment of its order.
    async fn apply(
        &self,
        reported: &ProviderEvent,
        event_id: &str,
        reply: fn(DeliveryResult) -> StoredReply,
    ) -> Result<StoredReply, ServiceError> {
        let ignore = |why| reply(self.ignore(event_id, &reported.unused(why)));
        for _ in 0..MAX_ATTEMPTS {
            let found = self.store().payment(&reported.razorpay_order_id).await?;
            let Some(payment) = found else {
                return Ok(ignore(IgnoredDelivery::UnknownOrder));
            };
            let decision = self.decide(payment, &reported.event).await?;
            let mut change = decision.change(reply(DeliveryResult::Applied))?;
            let seen = Write::ProviderEvent(event_id.to_owned());
            change.writes.insert(0, seen);
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                Err(CommitError::Seen) => return Ok(ignore(IgnoredDelivery::Duplicate)),
                Err(error) => return Err(error.into()),
                Ok(applied) => {
                    self.report(&decision, &reported.event);
                    return Ok(ignored(&decision).map_or(applied, ignore));
                }
            }
        }
        Err(ServiceError::Busy)
    }

    /// Counts a delivery without effect, and logs it if the provider should not have sent it. The
    /// ids are the provider's, and no secrets.
    fn ignore(&self, event_id: &str, unused: &Unused) -> DeliveryResult {
        use IgnoredDelivery::{Duplicate, Incomplete, UnknownOrder, Unreadable};
        self.payment_counts().count_ignored(unused.why);
        if matches!(unused.why, Unreadable | Incomplete | UnknownOrder) {
            tracing::warn!(
                reason = unused.why.as_str(),
                event = event_id,
                razorpay_order = unused.razorpay_order_id,
                attempt = unused.attempt,
                "webhook ignored: compare it with the provider's dashboard"
            );
        }
        match unused.why {
            Duplicate => DeliveryResult::Duplicate,
            _ => DeliveryResult::Ignored,
        }
    }
}

/// Returns why a decision has no effect, if it has none.
fn ignored(decision: &PaymentDecision) -> Option<IgnoredDelivery> {
    if decision.is_change() {
        None
    } else if decision.is_listed() {
        Some(IgnoredDelivery::Unchanged)
    } else {
        Some(IgnoredDelivery::NotListed)
    }
}
