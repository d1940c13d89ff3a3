//! A batch has the same plan as its requests one by one, however it is cut, and every write names
//! what it replaces.

mod memory;

use std::sync::Arc;

use metaia_realtime::{NewEntry, PublishReceipt, mongo::Plan, values::EventId};
use proptest::prelude::*;

use self::memory::Memory;
use super::{
    super::request::{CommitRequest, CommitRequests, CommitResult},
    decide,
};
use crate::store::contract::story::{Step, story};

fn request(step: &Step) -> Arc<CommitRequest> {
    let event = EventId::random();
    Arc::new(match step.clone() {
        Step::Change { writes, claim } => CommitRequest::Change(Step::change(&writes, claim)),
        Step::ReadOne { user, id } => CommitRequest::ReadOne { user, id, event },
        Step::ReadAll { user } => CommitRequest::ReadAll { user, event },
        Step::Tailor(status) => CommitRequest::Tailor { status, event },
    })
}

/// Carries out the requests in batches of `size`. Returns the reply and the events of each, and the
/// collections afterwards.
fn outcomes(requests: &CommitRequests, size: usize) -> (Vec<String>, Memory) {
    let mut memory = Memory::default();
    let mut outcomes = Vec::new();
    let mut all = Vec::new();
    for batch in requests.chunks(size) {
        let mut writes = Vec::new();
        let mut late_writes = Vec::new();
        for plan in decide(&mut memory.facts(batch), batch) {
            let events = describe_events(&plan);
            let receipts: Vec<PublishReceipt> = plan.events.iter().map(receipt).collect();
            let finished = (plan.finish)(&receipts);
            outcomes.push(format!("{:?} {events}", finished.done));
            writes.extend(plan.writes);
            late_writes.extend(finished.writes);
        }
        writes.extend(late_writes);
        memory.carry_out(&writes);
        all.extend(writes);
    }
    memory.carry_out_again(&all);
    (outcomes, memory)
}

fn describe_events(plan: &Plan<CommitResult>) -> String {
    let describe = |event: &NewEntry| format!("{:?} {}", event.rooms(), event.payload().as_str());
    let events: Vec<String> = plan.events.iter().map(describe).collect();
    events.join(", ")
}

fn receipt(event: &NewEntry) -> PublishReceipt {
    PublishReceipt {
        id: event.id(),
        position: "0000000000000001-00000001.1".parse().unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The writes have no effect if they are carried out again later, as a standalone server may
    /// do.
    #[test]
    fn a_batch_is_planned_as_its_requests_one_by_one(story in story(40), size in 2usize..40) {
        let requests: Vec<Arc<CommitRequest>> = story.iter().map(request).collect();
        let (one_by_one, memory_one_by_one) = outcomes(&requests, 1);
        let (in_batches, memory_in_batches) = outcomes(&requests, size);
        prop_assert_eq!(one_by_one, in_batches);
        prop_assert_eq!(memory_one_by_one, memory_in_batches);
    }
}
