//! Records as documents, and back.
//!
//! They look as the records do in JSON, and as those of the backend that this one replaces: ids of
//! 24 hex digits are ObjectIds, times are dates. What that backend wrote is read, whatever it left
//! out: a record needs an id, whose it is and how far it is; everything else has something that
//! stands in for it. What is none all the same is [`Unreadable`].

mod claim;
mod notification;
mod order;
mod payment;
mod tailor;
mod value;

pub(super) use claim::{claim_id, claim_of, claimed_at, recalled};
pub(super) use notification::{notification_in, notification_of, notification_set, unread_in};
pub(super) use order::{order_in, order_of, order_set};
pub(super) use payment::{payment_in, payment_of, payment_set, status_in};
pub(super) use tailor::{tailor_of, tailor_set};
pub(super) use value::{any_of, date, either, hex, id, integer, parsed, user_in};

use mongodb::bson::{Bson, Document};

use crate::store::StoreError;

/// The collections. The first three are named as the old backend's.
pub(super) const ORDERS: &str = "orders";
pub(super) const NOTIFICATIONS: &str = "notifications";
pub(super) const PAYMENTS: &str = "payments";
pub(super) const TAILORS: &str = "tailor_status";
pub(super) const PROVIDER_EVENTS: &str = "provider_events";
pub(super) const CLAIMS: &str = "idempotency";

/// A document that is not what its collection is for. Says which, never what is in it.
#[derive(Debug, thiserror::Error)]
#[error("{collection} {id}: {what}")]
pub(super) struct Unreadable {
    pub(super) collection: &'static str,
    pub(super) id: String,
    what: &'static str,
}

impl Unreadable {
    fn new(collection: &'static str, document: &Document, what: &'static str) -> Self {
        let id = document
            .get("_id")
            .and_then(value::id_text)
            .unwrap_or_else(|| "without an id".to_owned());
        Self {
            collection,
            id: id.chars().take(64).collect(),
            what,
        }
    }
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        Self::Corrupt(error.into())
    }
}

/// The version of a stored document: what an update takes for granted.
///
/// Documents of others have none; they count as the first version until they are changed here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision(Option<Bson>);

impl Revision {
    pub(super) fn of(document: &Document) -> Self {
        Self(document.get("version").cloned())
    }

    pub(super) const fn numbered(version: i64) -> Self {
        Self(Some(Bson::Int64(version)))
    }

    pub(super) fn number(&self) -> u64 {
        let stored = self
            .0
            .as_ref()
            .and_then(integer)
            .and_then(|version| version.try_into().ok());
        stored.unwrap_or(1)
    }

    /// Matches a document that still has it.
    pub(super) fn condition(&self) -> Bson {
        match &self.0 {
            Some(version) => mongodb::bson::bson!({ "$eq": version.clone() }),
            None => mongodb::bson::bson!({ "$exists": false }),
        }
    }
}
