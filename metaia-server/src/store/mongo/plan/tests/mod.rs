//! A batch is decided as its acts are one by one, whichever way it is cut; and what is written says
//! what it replaces.

mod memory;

use std::sync::Arc;

use metaia_realtime::{EventId, PublishReceipt};
use proptest::prelude::*;

use self::memory::Memory;
use super::*;
use crate::store::contract::story::{Step, story};
use crate::store::mongo::request::Act;

fn act(step: &Step) -> Arc<Act> {
    let event = EventId::random();
    Arc::new(match step.clone() {
        Step::Change { writes, claim } => Act::Change(Step::change(&writes, claim)),
        Step::ReadOne { user, id } => Act::ReadOne { user, id, event },
        Step::ReadAll { user } => Act::ReadAll { user, event },
        Step::Tailor(status) => Act::Tailor { status, event },
    })
}

/// What is answered and told when the story is decided in batches of `size`.
fn told(acts: &Acts, size: usize) -> (Vec<String>, Memory) {
    let (mut memory, mut told, mut all) = (Memory::default(), Vec::new(), Vec::new());
    for batch in acts.chunks(size) {
        let plans = decide(&mut memory.facts(batch), batch);
        let (mut writes, mut late) = (Vec::new(), Vec::new());
        for plan in plans {
            let receipt = |event: &NewEntry| PublishReceipt {
                id: event.id(),
                position: "0000000000000001-00000001.1".parse().unwrap(),
            };
            let receipts: Vec<PublishReceipt> = plan.events.iter().map(receipt).collect();
            let events: Vec<_> = plan
                .events
                .iter()
                .map(|event| (event.rooms(), event.payload().as_str()))
                .collect();
            let said = format!("{events:?}");
            let finished = (plan.finish)(&receipts);
            told.push(format!("{:?} {said}", finished.done));
            writes.extend(plan.writes);
            late.extend(finished.writes);
        }
        writes.extend(late);
        memory.carry_out(&writes);
        all.extend(writes);
    }
    memory.carry_out_again(&all);
    (told, memory)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// And nothing happens where it is carried out once more, however late, as on a standalone
    /// server it may.
    #[test]
    fn a_batch_is_decided_as_its_acts_one_by_one(story in story(40), size in 2usize..40) {
        let acts: Vec<Arc<Act>> = story.iter().map(act).collect();
        let (one_by_one, alone) = told(&acts, 1);
        let (in_batches, together) = told(&acts, size);
        prop_assert_eq!(one_by_one, in_batches);
        prop_assert_eq!(alone, together);
    }
}
