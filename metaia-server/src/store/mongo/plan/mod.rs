//! Decides a batch: which acts are done, what is written for each, and what is answered.
//!
//! Pure: it takes [`Facts`] and the acts in their order, and each act is decided as if those before
//! it were done. An act that is refused leaves no trace, neither in the facts nor in what is
//! written. The conditions are those of [`Write`](crate::store::Write), the same as the other
//! store's; they hold because no two batches are decided on the same state of the log. Every write
//! names what it replaces all the same, for who writes here without a committer.

mod facts;
mod layered;
mod notifications;
mod orders;
mod payments;
#[cfg(test)]
mod tests;
mod wanted;

use std::sync::Arc;

use metaia_realtime::{
    NewEntry, PublishReceipt,
    mongo::{Finished, Plan, RecordWrite},
};
use mongodb::bson::{Bson, doc};

pub(super) use facts::Facts;
pub(super) use wanted::Wanted;

use super::document::{CLAIMS, PROVIDER_EVENTS, claim_id, claim_of, date};
use crate::store::mongo::request::{Act, Acts, Done, Outcome};
use crate::{
    model::Timestamp,
    store::{Answer, Change, Claim, CommitError, Write},
};

/// What an act that is not refused comes to.
type Decided = Result<Plan<Done>, CommitError>;

/// Decides a batch.
pub(super) fn decide(facts: &mut Facts, acts: &Acts) -> Vec<Plan<Done>> {
    acts.iter().map(|act| one(facts, act)).collect()
}

fn one(facts: &mut Facts, act: &Arc<Act>) -> Plan<Done> {
    let decided = match &**act {
        Act::Change(change) => changed(facts, act, change),
        Act::ReadOne { user, id, event } => notifications::read_one(facts, user, *id, *event),
        Act::ReadAll { user, event } => notifications::read_all(facts, user, *event),
        Act::Tailor { status, event } => orders::tell_of_tailor(facts, status, *event),
    };
    match decided {
        Ok(plan) => {
            facts.keep();
            plan
        }
        Err(refusal) => {
            facts.forget();
            Plan::answer(Err(refusal))
        }
    }
}

/// A change: its writes in their order, then its claim.
fn changed(facts: &mut Facts, act: &Arc<Act>, change: &Change) -> Decided {
    let mut writes = Vec::with_capacity(change.writes.len());
    for write in &change.writes {
        writes.push(written(facts, write)?);
    }
    let kept = change
        .claim
        .as_ref()
        .map(|claim| claimed(facts, claim))
        .transpose()?;
    let act = Arc::clone(act);
    let finish = Box::new(move |receipts: &[PublishReceipt]| answered(&act, kept, receipts));
    Ok(Plan {
        writes,
        events: change.events.clone(),
        finish,
    })
}

fn written(facts: &mut Facts, write: &Write) -> Result<RecordWrite, CommitError> {
    match write {
        Write::NewOrder(order) => orders::place(facts, order),
        Write::Order(order) => orders::change(facts, order),
        Write::NewNotification(new) => Ok(notifications::tell(facts, new)),
        Write::NewPayment(payment) => payments::open(facts, payment),
        Write::Payment { payment, from } => payments::advance(facts, payment, *from),
        Write::ProviderEvent(id) => seen(facts, id),
    }
}

/// Events of the provider end by an index of the database, see `indexes`.
fn seen(facts: &mut Facts, id: &str) -> Result<RecordWrite, CommitError> {
    if facts.provider_events.has(id) {
        return Err(CommitError::Seen);
    }
    facts.provider_events.put(id.to_owned(), ());
    let document = doc! { "_id": id, "at": date(facts.now) };
    Ok(RecordWrite::Insert {
        collection: PROVIDER_EVENTS,
        document,
    })
}

/// How the answer of a claim is written: new, or in the place of one that has ended.
#[derive(Debug, Clone, Copy)]
enum Kept {
    New,
    InPlaceOf(Timestamp),
}

fn claimed(facts: &mut Facts, claim: &Claim) -> Result<Kept, CommitError> {
    let id = claim_id(claim);
    let kept = match facts.claims.get(&id) {
        None => Kept::New,
        Some(at) if claim.outlived(*at) => Kept::InPlaceOf(*at),
        Some(_) => return Err(CommitError::Claimed),
    };
    facts.claims.put(id, claim.at);
    Ok(kept)
}

fn answered(act: &Act, kept: Option<Kept>, receipts: &[PublishReceipt]) -> Finished<Done> {
    let Act::Change(change) = act else {
        return Finished {
            done: Ok(Outcome::Kept),
            writes: Vec::new(),
        };
    };
    let answer = (change.reply)(receipts);
    let writes = change
        .claim
        .as_ref()
        .zip(kept)
        .map(|(claim, kept)| kept.write(claim, &answer));
    Finished {
        writes: writes.into_iter().collect(),
        done: Ok(Outcome::Answer(answer)),
    }
}

impl Kept {
    fn write(self, claim: &Claim, answer: &Answer) -> RecordWrite {
        let document = claim_of(claim, answer);
        match self {
            Self::New => RecordWrite::Insert {
                collection: CLAIMS,
                document,
            },
            Self::InPlaceOf(at) => {
                let filter = doc! { "_id": claim_id(claim), "at": date(at) };
                RecordWrite::Update {
                    collection: CLAIMS,
                    filter,
                    update: document,
                }
            }
        }
    }
}

/// A plan that answers the same wherever its events will be.
fn answering(writes: Vec<RecordWrite>, events: Vec<NewEntry>, outcome: Outcome) -> Plan<Done> {
    let finish = Box::new(move |_: &[PublishReceipt]| Finished {
        done: Ok(outcome),
        writes: Vec::new(),
    });
    Plan {
        writes,
        events,
        finish,
    }
}

/// `$set`, where a document is still what was decided on.
fn set(
    collection: &'static str,
    filter: mongodb::bson::Document,
    fields: impl Into<Bson>,
) -> RecordWrite {
    RecordWrite::Update {
        collection,
        filter,
        update: doc! { "$set": fields.into() },
    }
}
