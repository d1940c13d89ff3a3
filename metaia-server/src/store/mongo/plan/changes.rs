//! Changes of services: their writes in order, then their claim.

use std::sync::Arc;

use metaia_realtime::{
    PublishReceipt,
    mongo::{Finished, Plan, RecordWrite},
};
use mongodb::bson::doc;

use super::{
    super::{
        document::{CLAIMS, PROVIDER_EVENTS, claim_document, claim_id, date},
        request::{CommitReply, CommitRequest, CommitResult},
    },
    facts::Facts,
    notifications, orders, payments,
};
use crate::{
    model::Timestamp,
    store::{Change, CommitError, IdempotencyClaim, StoredReply, Write},
};

/// Decides a change. `request` is the request with this change; the plan keeps it to make the reply
/// once the positions of the events are known.
pub(super) fn decide(
    facts: &mut Facts,
    request: &Arc<CommitRequest>,
    change: &Change,
) -> Result<Plan<CommitResult>, CommitError> {
    let mut writes = Vec::with_capacity(change.writes.len());
    for write in &change.writes {
        writes.push(decide_write(facts, write)?);
    }
    let claim_write = match &change.claim {
        Some(claim) => Some(decide_claim(facts, claim)?),
        None => None,
    };
    let request = Arc::clone(request);
    Ok(Plan {
        writes,
        events: change.events.clone(),
        finish: Box::new(move |receipts| finish(&request, claim_write, receipts)),
    })
}

fn decide_write(facts: &mut Facts, write: &Write) -> Result<RecordWrite, CommitError> {
    match write {
        Write::NewOrder(order) => orders::place(facts, order),
        Write::Order(order) => orders::change(facts, order),
        Write::NewNotification(new) => Ok(notifications::insert(facts, new)),
        Write::NewPayment(payment) => payments::open(facts, payment),
        Write::Payment { payment, from } => payments::advance(facts, payment, *from),
        Write::ProviderEvent(id) => see_provider_event(facts, id),
    }
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

/// The way in which the reply to a claim is stored.
#[derive(Debug, Clone, Copy)]
enum ClaimWrite {
    /// As a new document.
    Insert,
    /// In place of the claim of this time, which has expired.
    Replace(Timestamp),
}

fn decide_claim(facts: &mut Facts, claim: &IdempotencyClaim) -> Result<ClaimWrite, CommitError> {
    let id = claim_id(claim);
    let write = match facts.claims.get(&id) {
        None => ClaimWrite::Insert,
        Some(at) if claim.is_after_expiry_of(*at) => ClaimWrite::Replace(*at),
        Some(_) => return Err(CommitError::Claimed),
    };
    facts.claims.set(id, claim.at);
    Ok(write)
}

/// Makes the reply of a change from the receipts of its events, and the write that stores it.
fn finish(
    request: &CommitRequest,
    claim_write: Option<ClaimWrite>,
    receipts: &[PublishReceipt],
) -> Finished<CommitResult> {
    let CommitRequest::Change(change) = request else {
        // `decide` passes requests with a change only.
        return Finished {
            done: Ok(CommitReply::TailorStatus),
            writes: Vec::new(),
        };
    };
    let reply = (change.reply)(receipts);
    let mut writes = Vec::new();
    if let (Some(claim), Some(write)) = (&change.claim, claim_write) {
        writes.push(write.of_reply(claim, &reply));
    }
    Finished {
        done: Ok(CommitReply::Change(reply)),
        writes,
    }
}

impl ClaimWrite {
    fn of_reply(self, claim: &IdempotencyClaim, reply: &StoredReply) -> RecordWrite {
        let document = claim_document(claim, reply);
        match self {
            Self::Insert => RecordWrite::Insert {
                collection: CLAIMS,
                document,
            },
            Self::Replace(at) => RecordWrite::Update {
                collection: CLAIMS,
                filter: doc! { "_id": claim_id(claim), "at": date(at) },
                update: document,
            },
        }
    }
}
