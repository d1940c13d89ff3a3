//! Records as documents, and documents as records.
//!
//! Documents have the same members as the REST JSON and as the old backend's documents. Ids of 24
//! hex digits are ObjectIds, and times are dates. Incomplete documents of the old backend can be
//! read: a record needs an id, a user and a status, and every other member has a default. A
//! document that is no record is [`Unreadable`].

#[cfg(test)]
mod earlier;
mod idempotency;
mod notification;
mod order;
mod payment;
mod tailor;
mod value;

pub(super) use idempotency::{claim_document, claim_id, claimed_at_in, idempotency_state_in};
pub(super) use notification::{
    mark_read_update, notification_document, notification_in, unread_in,
};
pub(super) use order::{changed_at_in, order_document, order_fields, order_in};
pub(super) use payment::{payment_document, payment_in, payment_update, status_in};
pub(super) use tailor::{tailor_document, tailor_fields};
pub(super) use value::{any_of, date, id, id_in, id_or_text, integer, parsed, user_in};

use mongodb::bson::{Bson, Document, bson};

use crate::store::StoreError;

// The first three collections have the names of the old backend.
pub(super) const ORDERS: &str = "orders";
pub(super) const NOTIFICATIONS: &str = "notifications";
pub(super) const PAYMENTS: &str = "payments";
pub(super) const TAILORS: &str = "tailor_status";
pub(super) const PROVIDER_EVENTS: &str = "provider_events";
pub(super) const CLAIMS: &str = "idempotency";

/// A document that is no record of its collection. The error names the document, never its content.
#[derive(Debug, thiserror::Error)]
#[error("{collection} {id}: {reason}")]
pub(super) struct Unreadable {
    pub(super) collection: &'static str,
    pub(super) id: String,
    reason: &'static str,
}

impl Unreadable {
    fn new(collection: &'static str, document: &Document, reason: &'static str) -> Self {
        let id = document
            .get("_id")
            .and_then(value::id_text)
            .unwrap_or_else(|| "without an id".to_owned());
        Self {
            collection,
            // Other programs may use ids of any length.
            id: id.chars().take(64).collect(),
            reason,
        }
    }
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        Self::Corrupt(error.into())
    }
}

/// The version of a stored document: the condition of an update.
///
/// Documents of other programs have none. They count as the first version until this server changes
/// them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revision(Option<Bson>);

impl Revision {
    pub(super) fn read(document: &Document) -> Self {
        Self(document.get("version").cloned())
    }

    pub(super) const fn new(version: i64) -> Self {
        Self(Some(Bson::Int64(version)))
    }

    pub(super) fn number(&self) -> u64 {
        let stored = self.0.as_ref().and_then(integer);
        stored
            .and_then(|version| version.try_into().ok())
            .unwrap_or(1)
    }

    /// Returns the condition that a document still has this version.
    pub(super) fn condition(&self) -> Bson {
        match &self.0 {
            Some(version) => bson!({ "$eq": version.clone() }),
            None => bson!({ "$exists": false }),
        }
    }
}
