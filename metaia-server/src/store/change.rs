//! A change: records, their events, and the reply under its idempotency key, in one transaction.

use std::fmt;

use metaia_realtime::{
    NewEntry, OrderId, PublishReceipt,
    event::{EventError, PaymentStatus},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::CommitError;
use crate::model::{Caller, Notification, Order, Payment, Timestamp};

/// One record to write, with its condition. If the condition does not hold, the whole change is
/// refused with [`super::CommitError::Missed`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Write {
    /// A new order. Condition: its number is free.
    NewOrder(Order),
    /// An order in its next version. Condition: the stored order has the version before. Members of
    /// an order that never change need not be written.
    Order(Order),
    /// Nothing is written. Condition: the stored order has this version. For changes that were
    /// decided on an order, and do not change it.
    OrderAsRead {
        /// The order.
        order: OrderId,
        /// The version that was read.
        version: u64,
    },
    /// A new notification.
    NewNotification(Notification),
    /// A new payment. Condition: the order has no payment that is open or completed.
    NewPayment(Payment),
    /// A payment in its next version. Condition: the stored payment has the version before and the
    /// status `from`, and no other payment of the order is open or completed if this one becomes
    /// so. Nodes of earlier versions move the status and leave the version as it is. It has all
    /// flags that it had before: flags are added, never removed.
    Payment {
        /// The payment in its new state.
        payment: Payment,
        /// The status that it had before.
        from: PaymentStatus,
    },
    /// An event of the payment provider, by its id. If it was seen before, the change is refused
    /// with [`super::CommitError::Seen`]. Its id is kept for 90 days.
    ProviderEvent(String),
}

/// Makes the reply from the receipts of the events, in their order. A store that has to retry the
/// change calls it again.
pub type MakeReply = Box<dyn Fn(&[PublishReceipt]) -> StoredReply + Send + Sync>;

/// Records and events that are stored together or not at all.
pub struct Change {
    /// The records.
    pub writes: Vec<Write>,
    /// The events, in the order in which they are published: a recheck of access first, so that a
    /// user who loses access does not see the events after it.
    pub events: Vec<NewEntry>,
    /// The idempotency key under which the reply is stored, if the caller gave one.
    pub claim: Option<IdempotencyClaim>,
    /// The reply to the caller.
    pub reply: MakeReply,
}

impl Change {
    /// Returns an empty change with a fixed reply.
    #[must_use]
    pub fn replying(reply: StoredReply) -> Self {
        let reply: MakeReply = Box::new(move |_| reply.clone());
        Self {
            writes: Vec::new(),
            events: Vec::new(),
            claim: None,
            reply,
        }
    }

    /// Checks that each event with its rooms has at most `limit` bytes, before anything is written.
    pub(super) fn require_size(&self, limit: usize) -> Result<(), CommitError> {
        for event in &self.events {
            let size = event.stored_size();
            if size > limit {
                return Err(CommitError::Event(EventError::TooLarge { size, limit }));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("writes", &self.writes)
            .field("events", &self.events)
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

/// A reply that can be given again, byte for byte.
///
/// The routes make it and read it. Services pass it on, and stores write and return its parts,
/// without knowing what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReply {
    /// The status, as a number of the protocol that the reply belongs to.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The version of the record in the body, if the body is one record with a version.
    pub version: Option<u64>,
}

/// A caller's claim on one reply: an idempotency key, for one route and one request body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// The caller and the route.
    pub scope: String,
    /// The key.
    pub key: String,
    /// SHA-256 of the request. A different request with the same key is refused.
    pub digest: [u8; 32],
    /// The time of the claim. Claims expire after 24 hours.
    pub at: Timestamp,
}

impl IdempotencyClaim {
    /// The lifetime of a stored reply, in milliseconds.
    pub const LIFE_MS: i64 = 24 * 60 * 60 * 1000;

    /// Returns whether a claim that was made at `at` has expired at the time of this one.
    pub(super) const fn is_after_expiry_of(&self, at: Timestamp) -> bool {
        at.ms() <= self.at.ms() - Self::LIFE_MS
    }

    /// Returns the claim of a caller's request. `request` includes the path parameters.
    #[must_use]
    pub fn new(caller: &Caller, route: &str, key: &str, request: &impl Serialize) -> Self {
        // Requests were parsed from JSON, and serialize again.
        let request = serde_json::to_vec(request).unwrap_or_default();
        Self {
            scope: format!("{} {route}", caller.scope()),
            key: key.to_owned(),
            digest: Sha256::digest(request).into(),
            at: Timestamp::now(),
        }
    }
}

/// The idempotency key of a change whose reply depends on the stored records, with the function
/// that makes what is stored under it.
#[derive(Debug)]
pub struct Keyed<T> {
    /// The key.
    pub claim: IdempotencyClaim,
    /// Makes the reply from the result of the change.
    pub reply: fn(&T) -> StoredReply,
}

impl<T> Keyed<T> {
    /// Returns the claim, and the reply to this result.
    pub(super) fn reply_to(&self, result: &T) -> (&IdempotencyClaim, StoredReply) {
        (&self.claim, (self.reply)(result))
    }
}

/// The earlier use of an idempotency key, if there was one, and its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyState {
    /// The key was not used in the last 24 hours.
    New,
    /// The same request used the key, and got this reply.
    Answered(StoredReply),
    /// A different request used the key.
    OtherRequest,
}
