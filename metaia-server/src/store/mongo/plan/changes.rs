//! Changes of services: their writes in order, then their claim.

use std::sync::Arc;

use metaia_realtime::{
    PublishReceipt,
    mongo::{Finished, Plan, RecordWrite},
};
use mongodb::bson::doc;

use super::{
    super::document::{PROVIDER_EVENTS, claim_id, date},
    ask::Ask,
    claims::{ClaimWrite, decide_claim},
    facts::Facts,
    notifications, orders, payments,
    wanted::WantedFacts,
};
use crate::store::{Change, CommitError, StoredReply, Write};

/// See [`crate::store::Store::commit`]. The plans share the change, which makes the reply once the
/// positions of the events are known.
#[derive(Debug)]
pub(in super::super) struct CommitChange(Arc<Change>);

impl CommitChange {
    pub(in super::super) fn new(change: Change) -> Self {
        Self(Arc::new(change))
    }
}

impl Ask for CommitChange {
    type Answer = StoredReply;

    fn want(&self, wanted: &mut WantedFacts) {
        for write in &self.0.writes {
            wanted.add_write(write);
        }
        wanted.claims.extend(self.0.claim.as_ref().map(claim_id));
    }

    fn decide(&self, facts: &mut Facts) -> Result<Plan<StoredReply>, CommitError> {
        let change = &self.0;
        let mut writes = Vec::with_capacity(change.writes.len());
        for write in &change.writes {
            writes.extend(decide_write(facts, write)?);
        }
        let claim_write = match &change.claim {
            Some(claim) => Some(decide_claim(facts, claim)?),
            None => None,
        };
        let shared = Arc::clone(change);
        Ok(Plan {
            writes,
            events: change.events.clone(),
            finish: Box::new(move |receipts| finish(&shared, claim_write, receipts)),
        })
    }
}

/// Decides a write. One that is a condition alone writes nothing.
fn decide_write(facts: &mut Facts, write: &Write) -> Result<Option<RecordWrite>, CommitError> {
    let decided = match write {
        Write::NewOrder(order) => orders::place(facts, order),
        Write::Order(order) => orders::change(facts, order),
        Write::OrderAsRead { order, version } => {
            orders::require(facts, order, *version)?;
            return Ok(None);
        }
        Write::NewNotification(new) => Ok(notifications::insert(facts, new)),
        Write::NewPayment(payment) => payments::open(facts, payment),
        Write::Payment { payment, from } => payments::advance(facts, payment, *from),
        Write::ProviderEvent(id) => see_provider_event(facts, id),
    };
    decided.map(Some)
}

/// Stores the id of a provider's event. An index of the database deletes it later, see `indexes`.
fn see_provider_event(facts: &mut Facts, id: &str) -> Result<RecordWrite, CommitError> {
    if facts.provider_events.contains(id) {
        return Err(CommitError::Seen);
    }
    facts.provider_events.set(id.to_owned(), ());
    let document = doc! { "_id": id, "at": date(facts.now) };
    Ok(RecordWrite::Insert {
        collection: PROVIDER_EVENTS,
        document,
    })
}

/// Makes the reply of a change from the receipts of its events, and the write that stores it.
fn finish(
    change: &Change,
    claim_write: Option<ClaimWrite>,
    receipts: &[PublishReceipt],
) -> Finished<StoredReply> {
    let reply = (change.reply)(receipts);
    let mut writes = Vec::new();
    if let (Some(claim), Some(write)) = (&change.claim, claim_write) {
        writes.push(write.of_reply(claim, &reply));
    }
    Finished {
        done: reply,
        writes,
    }
}
