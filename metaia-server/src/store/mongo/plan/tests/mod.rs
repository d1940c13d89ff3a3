//! A batch has the same plan as its requests one by one, however it is cut, and every write names
//! what it replaces.

mod memory;

use std::{fmt::Debug, sync::Arc};

use metaia_realtime::{NewEntry, PublishReceipt, mongo::RecordWrite, values::EventId};
use proptest::prelude::*;

use self::memory::Memory;
use super::{Ask, CommitChange, Facts, MarkAllRead, MarkRead, SetTailorStatus, WantedFacts, plan};
use crate::store::{
    Keyed,
    contract::{
        claim, reply_of,
        story::{Step, story},
    },
};

/// A request, whatever the type of its answer is.
trait AnyAsk {
    fn want(&self, wanted: &mut WantedFacts);

    fn outcome(&self, facts: &mut Facts) -> Outcome;
}

/// The outcome of a request.
struct Outcome {
    /// The answer or the refusal, and the events.
    text: String,
    writes: Vec<RecordWrite>,
    /// The writes that contain the answer.
    late_writes: Vec<RecordWrite>,
}

impl<A: Ask<Answer: Debug>> AnyAsk for A {
    fn want(&self, wanted: &mut WantedFacts) {
        Ask::want(self, wanted);
    }

    fn outcome(&self, facts: &mut Facts) -> Outcome {
        let plan = plan(self, facts);
        let events = describe_events(&plan.events);
        let receipts: Vec<PublishReceipt> = plan.events.iter().map(receipt).collect();
        let finished = (plan.finish)(&receipts);
        Outcome {
            text: format!("{:?} {events}", finished.done),
            writes: plan.writes,
            late_writes: finished.writes,
        }
    }
}

/// Returns a key for every other request. There are few of them, so that requests collide.
fn keyed<T: Debug>(n: usize) -> Option<Keyed<T>> {
    n.is_multiple_of(2).then(|| Keyed {
        claim: claim(&format!("r{}", n % 3), "body"),
        reply: |result| reply_of(format!("{result:?}")),
    })
}

fn request((n, step): (usize, &Step)) -> Box<dyn AnyAsk> {
    let event = EventId::random();
    match step.clone() {
        Step::Change { writes, claim } => Box::new(CommitChange::new(Step::change(&writes, claim))),
        Step::ReadOne { user, id } => Box::new(MarkRead {
            user,
            id,
            event,
            keyed: keyed(n),
        }),
        Step::ReadAll { user } => Box::new(MarkAllRead {
            user,
            event,
            before: 0,
            keyed: keyed(n).map(Arc::new),
        }),
        Step::Tailor(status) => Box::new(SetTailorStatus {
            status,
            event,
            keyed: keyed(n),
        }),
    }
}

/// Carries out the requests in batches of `size`. Returns the answer and the events of each, and
/// the collections afterwards.
fn outcomes(requests: &[Box<dyn AnyAsk>], size: usize) -> (Vec<String>, Memory) {
    let mut memory = Memory::default();
    let mut outcomes = Vec::new();
    let mut all = Vec::new();
    for batch in requests.chunks(size) {
        let mut wanted = WantedFacts::default();
        for request in batch {
            request.want(&mut wanted);
        }
        let mut facts = memory.facts(wanted);
        let mut writes = Vec::new();
        let mut late_writes = Vec::new();
        for request in batch {
            let outcome = request.outcome(&mut facts);
            outcomes.push(outcome.text);
            writes.extend(outcome.writes);
            late_writes.extend(outcome.late_writes);
        }
        writes.extend(late_writes);
        memory.carry_out(&writes);
        all.extend(writes);
    }
    memory.carry_out_again(&all);
    (outcomes, memory)
}

fn describe_events(events: &[NewEntry]) -> String {
    let describe = |event: &NewEntry| format!("{:?} {}", event.rooms(), event.payload().as_str());
    let events: Vec<String> = events.iter().map(describe).collect();
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
        let requests: Vec<Box<dyn AnyAsk>> = story.iter().enumerate().map(request).collect();
        let (one_by_one, memory_one_by_one) = outcomes(&requests, 1);
        let (in_batches, memory_in_batches) = outcomes(&requests, size);
        prop_assert_eq!(one_by_one, in_batches);
        prop_assert_eq!(memory_one_by_one, memory_in_batches);
    }
}
