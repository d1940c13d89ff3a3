//! Webhooks of the payment provider: signed events that arrive in any order, sometimes repeatedly.
//!
//! The provider repeats what is not answered with success. So a signed delivery fails only if a
//! repetition can succeed: if the store is away, or busy.
//!
//! A delivery is seen once by the id of its event and by the digest of its body. The signature
//! covers the body alone: without the digest, anyone who has captured a delivery could send it
//! under ever new ids, and each would be stored.

use metaia_realtime::planted_faults::{Fault, planted};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    counts::IgnoredDelivery,
    payment_id::is_payment_id,
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

/// The beginning of a stored digest of a body.
const DIGEST_PREFIX: &str = "sha256:";

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

impl Delivery<'_> {
    /// Returns the ids under which the event is seen once.
    fn ids(&self) -> EventIds {
        let of_event = self.event_id;
        // The header is not signed: it must not stand for the digest of another body.
        let is_id = |id: &&str| {
            (1..=MAX_EVENT_ID_BYTES).contains(&id.len()) && !id.starts_with(DIGEST_PREFIX)
        };
        let digest = hex::encode(Sha256::digest(self.body));
        EventIds {
            of_event: of_event.filter(is_id).map(str::to_owned),
            of_body: format!("{DIGEST_PREFIX}{digest}"),
        }
    }
}

/// The ids under which an event is seen once.
#[derive(Debug)]
struct EventIds {
    /// The provider's, unless a proxy has removed it.
    of_event: Option<String>,
    /// The digest of the body.
    of_body: String,
}

impl EventIds {
    /// Returns the id for people.
    fn shown(&self) -> &str {
        self.of_event.as_deref().unwrap_or(&self.of_body)
    }

    /// Returns the writes that store the ids. They fail if one of them is stored.
    fn writes(&self) -> impl Iterator<Item = Write> {
        let ids = self.of_event.iter().chain([&self.of_body]);
        ids.cloned().map(Write::ProviderEvent)
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
        let ids = delivery.ids();
        match ProviderEvent::read(delivery.body) {
            Ok(reported) => self.apply(&reported, &ids, reply).await,
            Err(unused) => Ok(reply(self.ignore(&ids, &unused))),
        }
    }

    /// Checks the signature.
    fn require_genuine(&self, delivery: Delivery<'_>) -> Result<(), ServiceError> {
        let secret = self.payment_settings().webhook_secret.as_ref();
        let (Some(secret), Some(signature)) = (secret, delivery.signature) else {
            return Err(ServiceError::ForgedWebhook);
        };
        let is_valid = webhook_is_valid(secret, delivery.body, signature);
        if is_valid || planted(Fault::TamperedWebhookAccepted) {
            Ok(())
        } else {
            Err(ServiceError::ForgedWebhook)
        }
    }

    /// Applies an event to the payment of its order.
    async fn apply(
        &self,
        reported: &ProviderEvent,
        ids: &EventIds,
        reply: fn(DeliveryResult) -> StoredReply,
    ) -> Result<StoredReply, ServiceError> {
        let ignore = |why| reply(self.ignore(ids, &reported.unused(why)));
        for _ in 0..MAX_ATTEMPTS {
            let found = self.store().payment(&reported.razorpay_order_id).await?;
            let Some(payment) = found else {
                return Ok(ignore(IgnoredDelivery::UnknownOrder));
            };
            let decision = self.decide(payment, &reported.event).await?;
            let mut change = decision.change(reply(DeliveryResult::Applied))?;
            if !planted(Fault::WebhookAppliedTwice) {
                change.writes.splice(0..0, ids.writes());
            }
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                Err(CommitError::Seen) => return Ok(ignore(IgnoredDelivery::Duplicate)),
                Err(error) => return Err(error.into()),
                Ok(applied) => {
                    self.report(&decision, &reported.event);
                    self.report_unusual_id(reported, ids);
                    return Ok(ignored(&decision).map_or(applied, ignore));
                }
            }
        }
        Err(ServiceError::Busy)
    }

    /// Counts and logs an attempt whose id does not have the documented form. It is recorded like
    /// any other: the provider has signed that money was taken, and its form may change.
    fn report_unusual_id(&self, reported: &ProviderEvent, ids: &EventIds) {
        if is_payment_id(&reported.event.attempt) {
            return;
        }
        self.payment_counts().count_unusual_id();
        tracing::warn!(
            event = ids.shown(),
            razorpay_order = reported.razorpay_order_id,
            attempt = reported.event.attempt,
            "the id of a payment has not the form of the provider's: compare it with the \
             provider's dashboard"
        );
    }

    /// Counts a delivery without effect, and logs it if the provider should not have sent it. The
    /// ids are the provider's, and no secrets.
    fn ignore(&self, ids: &EventIds, unused: &Unused) -> DeliveryResult {
        use IgnoredDelivery::{Duplicate, Incomplete, UnknownOrder, Unreadable};
        self.payment_counts().count_ignored(unused.why);
        if matches!(unused.why, Unreadable | Incomplete | UnknownOrder) {
            tracing::warn!(
                reason = unused.why.as_str(),
                event = ids.shown(),
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

#[cfg(test)]
mod tests {
    use std::io;

    use hmac::Mac as _;
    use parking_lot::Mutex;
    use serde_json::json;

    use super::*;
    use crate::{
        auth::secrets::digest,
        services::testing::{On, WEBHOOK_SECRET, World, reply_of},
    };

    /// The lines of the log.
    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the line about a delivery.
    async fn logged(world: &World, event_id: &str, body: &[u8]) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let signature = digest(WEBHOOK_SECRET.as_bytes(), body).finalize();
        let signature = hex::encode(signature.into_bytes());
        let delivery = Delivery {
            body,
            signature: Some(&signature),
            event_id: Some(event_id),
        };
        let reply = |result| reply_of(&result);
        let delivered = world.services.receive_delivery(delivery, reply).await;
        assert_eq!(delivered.unwrap(), reply(DeliveryResult::Ignored));
        drop(guard);
        let logged = lines.0.lock().clone();
        String::from_utf8(logged).unwrap()
    }

    #[tokio::test]
    async fn an_ignored_webhook_names_its_event_and_what_was_read() {
        let world = World::new(On::Embedded).await;
        let entity = json!({ "id": "pay_7", "order_id": "order_7" });
        let body = json!({
            "event": "payment.captured", "payload": { "payment": { "entity": entity } },
        });
        let line = logged(&world, "evt_7", body.to_string().as_bytes()).await;
        for part in [
            "WARN",
            "incomplete",
            "\"evt_7\"",
            "\"order_7\"",
            "\"pay_7\"",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        let line = logged(&world, &"x".repeat(500), b"{").await;
        assert!(line.contains("event=\"sha256:"), "{line}");
        assert!(!line.contains("attempt"), "{line}");
        assert!(line.len() < 500, "{line}");
    }
}
