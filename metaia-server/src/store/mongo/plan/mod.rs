//! Plans a batch: decides which requests are carried out, with their writes, events and replies.
//!
//! Planning is pure: it takes [`Facts`] and the requests in their order, and decides each request
//! as if those before it were carried out. A refused request leaves no trace, neither in the facts
//! nor in the writes. The conditions are those of [`Write`](crate::store::Write), the same as in
//! the embedded store; they hold because no two batches are planned on the same state of the log.
//! Every write has its condition in its filter all the same, because other programs write here
//! without a committer.

mod build;
mod changes;
mod facts;
mod layered;
mod notifications;
mod orders;
mod payments;
#[cfg(test)]
mod tests;
mod wanted;

use std::sync::Arc;

use metaia_realtime::mongo::Plan;

pub(super) use facts::Facts;
pub(super) use wanted::WantedFacts;

use super::request::{CommitRequest, CommitRequests, CommitResult};

/// Plans a batch.
pub(super) fn decide(facts: &mut Facts, requests: &CommitRequests) -> Vec<Plan<CommitResult>> {
    let mut plans = Vec::with_capacity(requests.len());
    for request in requests {
        plans.push(decide_one(facts, request));
    }
    plans
}

fn decide_one(facts: &mut Facts, request: &Arc<CommitRequest>) -> Plan<CommitResult> {
    let decided = match &**request {
        CommitRequest::Change(change) => changes::decide(facts, request, change),
        CommitRequest::ReadOne { user, id, event } => {
            notifications::read_one(facts, user, *id, *event)
        }
        CommitRequest::ReadAll { user, event } => notifications::read_all(facts, user, *event),
        CommitRequest::Tailor { status, event } => orders::set_tailor_status(facts, status, *event),
    };
    match decided {
        Ok(plan) => {
            facts.commit();
            plan
        }
        Err(refusal) => {
            facts.roll_back();
            Plan::answer(Err(refusal))
        }
    }
}
