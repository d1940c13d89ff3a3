//! Revocations of tokens, for many nodes. There is one document per user, per token, and for
//! everyone.
//!
//! - Each document has the time of its last `put` by the server's clock. A reader asks for what was
//!   put since its last pass, and goes back by some time ([`place`]): a `put` is seen only once a
//!   majority of the members has it, which is later than its time, and the clock of a new primary
//!   may be behind that of the old one.
//! - A `put` that changes no bound has a new time all the same: the one before it may have become
//!   visible so late that readers were past its time.
//! - A pass begins with a proof that the server is the primary, by a linearizable read. A server
//!   that was replaced and does not know it yet would lack what others put. The pages after that
//!   need no proof: what was put before the pass began, each primary has that the driver can choose
//!   from then on.

mod clock;
mod page;
mod place;
mod put;
mod record;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mongodb::bson::{Document, doc};

use super::{collection::create_index, fault::MongoFault, handle::Mongo};
use crate::revocation::{
    Revocation, RevocationChanges, RevocationCursor, RevocationError, RevocationStore,
};

const REVOCATIONS: &str = "rt_revocation";

/// Revocations in a database, which all nodes of a cluster share.
///
/// A handle: `clone` is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct MongoRevocations {
    mongo: Mongo,
    has_indexes: Arc<AtomicBool>,
}

impl MongoRevocations {
    /// Returns the revocations in a database. This does not contact the database.
    #[must_use]
    pub fn new(mongo: &Mongo) -> Self {
        Self {
            mongo: mongo.clone(),
            has_indexes: Arc::default(),
        }
    }

    /// Creates the indexes, once.
    async fn create_indexes(&self) -> Result<(), MongoFault> {
        if self.has_indexes.load(Ordering::Relaxed) {
            return Ok(());
        }
        create_index(&self.mongo, REVOCATIONS, order_of_changes(), false).await?;
        create_index(&self.mongo, REVOCATIONS, doc! { "until": 1 }, false).await?;
        self.has_indexes.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the next call look whether the indexes are still there.
    fn forget_indexes(&self) {
        self.has_indexes.store(false, Ordering::Relaxed);
    }
}

/// Returns the order of changes. Many may have one time: of these, the ids tell the place.
fn order_of_changes() -> Document {
    doc! { "changed": 1, "_id": 1 }
}

impl RevocationStore for MongoRevocations {
    fn is_shared(&self) -> bool {
        true
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        let stored = self.try_put(&revocation).await;
        stored.map_err(RevocationError::new)
    }

    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
    ) -> Result<RevocationChanges, RevocationError> {
        let page = self.try_page(since, limit).await;
        page.map_err(RevocationError::new)
    }
}
