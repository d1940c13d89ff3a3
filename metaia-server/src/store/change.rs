//! What is written at once: records, their events, and the answer under its idempotency key.

use std::fmt;

use metaia_realtime::{
    NewEntry, PublishReceipt,
    event::{EventError, PaymentStatus},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::CommitError;
use crate::model::{Caller, Notification, Order, Payment, Timestamp};

/// One record to be written, with what it takes for granted. Where that does not hold:
/// [`super::CommitError::Missed`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Write {
    /// A new order. Takes for granted that its number is free.
    NewOrder(Order),
    /// An order in its next version. Takes for granted that the stored one is the version before.
    /// What never changes of an order need not be written.
    Order(Order),
    /// A new notification.
    NewNotification(Notification),
    /// A new payment. Takes for granted that the order has none that is open or completed.
    NewPayment(Payment),
    /// A payment that moved on. Takes for granted that the stored one has the status `from`, and
    /// that it is not about to become its order's second one that is open or completed.
    Payment {
        /// The payment as it becomes.
        payment: Payment,
        /// The status that it had.
        from: PaymentStatus,
    },
    /// An event of the payment provider, by its id. Seen before: [`super::CommitError::Seen`]. Kept
    /// at least 30 days.
    ProviderEvent(String),
}

/// Makes the answer out of what became of the events, in their order. A store that loses to another
/// node tries again, and asks again.
pub type Reply = Box<dyn Fn(&[PublishReceipt]) -> Answer + Send + Sync>;

/// Everything that happens at once, or not at all.
pub struct Change {
    /// The records.
    pub writes: Vec<Write>,
    /// The events, in the order in which they are published: a recheck of access first, so that
    /// nobody who lost it sees what follows.
    pub events: Vec<NewEntry>,
    /// The idempotency key that the answer is kept under, if the caller gave one.
    pub claim: Option<Claim>,
    /// What is answered.
    pub reply: Reply,
}

impl Change {
    /// A change that answers `answer`, whatever becomes of its events.
    #[must_use]
    pub fn answering(answer: Answer) -> Self {
        let reply: Reply = Box::new(move |_| answer.clone());
        Self {
            writes: Vec::new(),
            events: Vec::new(),
            claim: None,
            reply,
        }
    }

    /// Checks that each event takes at most `limit` bytes, before anything is tried.
    pub(super) fn require_size(&self, limit: usize) -> Result<(), CommitError> {
        match self
            .events
            .iter()
            .map(NewEntry::size)
            .find(|size| *size > limit)
        {
            Some(size) => Err(CommitError::Event(EventError::TooLarge { size, limit })),
            None => Ok(()),
        }
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

/// A successful answer, as it goes over the wire and is kept under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
    /// The version of the one record that the body shows, if it has one.
    pub version: Option<u64>,
}

impl Answer {
    /// `{"status":"success","data":…}`.
    #[must_use]
    pub fn success(status: u16, data: impl Serialize) -> Self {
        /// The envelope of the original guide.
        #[derive(Serialize)]
        struct Envelope<T> {
            status: &'static str,
            data: T,
        }
        // The documents of this server always serialise.
        let body = serde_json::to_string(&Envelope {
            status: "success",
            data,
        })
        .unwrap_or_default();
        Self {
            status,
            body,
            version: None,
        }
    }

    /// The same, saying which version of a record it shows.
    #[must_use]
    pub fn of_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }
}

/// A caller's claim on one answer: their idempotency key, for one route, for one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who claims, and on which route.
    pub scope: String,
    /// The key.
    pub key: String,
    /// SHA-256 of the request: another one under the same key is refused.
    pub digest: [u8; 32],
    /// When. Claims end after 24 hours.
    pub at: Timestamp,
}

impl Claim {
    /// How long an answer is kept, in milliseconds.
    pub const LIFE_MS: i64 = 24 * 60 * 60 * 1000;

    /// Whether one that was made at `at` has ended by the time of this one.
    pub(super) const fn outlived(&self, at: Timestamp) -> bool {
        at.ms() <= self.at.ms() - Self::LIFE_MS
    }

    /// The claim of a caller's request, path parameters included.
    #[must_use]
    pub fn new(caller: &Caller, route: &str, key: &str, request: &impl Serialize) -> Self {
        // Requests were JSON a moment ago and serialise again.
        let request = serde_json::to_vec(request).unwrap_or_default();
        Self {
            scope: format!("{} {route}", caller.scope()),
            key: key.to_owned(),
            digest: Sha256::digest(request).into(),
            at: Timestamp::now(),
        }
    }
}

/// What is known of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recall {
    /// Nothing.
    New,
    /// The same request was answered so.
    Answered(Answer),
    /// Another request used the key.
    Other,
}
