//! What one batch writes, and what it answers. A pure kernel.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{
    job::{Answer, Ask, Job},
    writes::{Group, grouped},
};
use crate::{
    EventId, NewEntry, Position, PublishReceipt,
    log::Entry,
    mongo::{Finished, Plan, RecordWrite, Records},
    values::Epoch,
};

/// Where the head stands: what a batch is decided on, and what must still be so when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mongo) struct Standing {
    pub(in crate::mongo) epoch: Epoch,
    /// Rises with every batch, whoever writes it.
    pub(in crate::mongo) turn: i64,
    /// The number of the last entry.
    pub(in crate::mongo) n: u64,
    /// Its id.
    pub(in crate::mongo) id: EventId,
}

/// Numbers entries.
pub(in crate::mongo) struct Numbering<'a> {
    standing: Standing,
    /// Those that the log has.
    known: &'a HashMap<EventId, u64>,
    /// Those that came earlier in the batch.
    mine: HashMap<EventId, u64>,
    ts: i64,
    pub(in crate::mongo) entries: Vec<Arc<Entry>>,
}

impl<'a> Numbering<'a> {
    /// Goes on after the head, at `ts` (ms since the Unix epoch).
    pub(in crate::mongo) fn after(
        standing: Standing,
        known: &'a HashMap<EventId, u64>,
        ts: i64,
    ) -> Self {
        Self {
            standing,
            known,
            mine: HashMap::new(),
            ts,
            entries: Vec::new(),
        }
    }

    /// Where the entry is, or will be.
    pub(in crate::mongo) fn place(&mut self, new: &NewEntry) -> Position {
        let id = new.id();
        let had = self.known.get(&id).or_else(|| self.mine.get(&id)).copied();
        let n = had.unwrap_or(self.standing.n + 1);
        if had.is_none() {
            self.mine.insert(id, n);
            self.entries.push(Arc::new(Entry::new(
                self.standing.epoch,
                n,
                self.ts,
                new.clone(),
            )));
            (self.standing.n, self.standing.id) = (n, id);
        }
        Position::of(self.standing.epoch, n, id)
    }

    /// Where the head stands when all this is written.
    pub(in crate::mongo) fn end(&self) -> Standing {
        Standing {
            turn: self.standing.turn + 1,
            ..self.standing
        }
    }
}

/// What a batch writes. It is the same for all who carry it out.
#[derive(Debug)]
pub(in crate::mongo) struct Batch {
    /// Its own name.
    pub(in crate::mongo) id: Uuid,
    pub(in crate::mongo) before: Standing,
    pub(in crate::mongo) after: Standing,
    pub(in crate::mongo) groups: Vec<Group>,
    pub(in crate::mongo) entries: Vec<Arc<Entry>>,
}

impl Batch {
    /// Whether nothing is to be written.
    pub(super) const fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.entries.is_empty()
    }

    /// How many bytes the log grows by, as [`NewEntry::size`] counts them.
    pub(in crate::mongo) fn bytes(&self) -> i64 {
        self.entries
            .iter()
            .map(|entry| entry.content().size() as i64)
            .sum()
    }
}

/// The answers, in the order of the jobs.
pub(super) type Answers<R> = Vec<Answer<<R as Records>::Done>>;

/// Puts what is asked for together. The plans are those of the changes among the jobs, in their
/// order; `None`: they are not as many.
pub(super) fn draft<R: Records>(
    jobs: &[Arc<Job<R>>],
    plans: Vec<Plan<R::Done>>,
    before: Standing,
    known: &HashMap<EventId, u64>,
    ts: i64,
) -> Option<(Batch, Answers<R>)> {
    let (mut plans, mut answers) = (plans.into_iter(), Vec::with_capacity(jobs.len()));
    let (mut writes, mut numbering) = (Vec::new(), Numbering::after(before, known, ts));
    for job in jobs {
        answers.push(match &job.ask {
            Ask::Append(entries) => {
                Answer::Positions(entries.iter().map(|new| numbering.place(new)).collect())
            }
            Ask::Change(_) => Answer::Done(change(plans.next()?, &mut numbering, &mut writes)),
        });
    }
    let after = numbering.end();
    let batch = Batch {
        id: Uuid::new_v4(),
        before,
        after,
        groups: grouped(writes),
        entries: numbering.entries,
    };
    plans.next().is_none().then_some((batch, answers))
}

fn change<D>(plan: Plan<D>, numbering: &mut Numbering<'_>, writes: &mut Vec<RecordWrite>) -> D {
    let Plan {
        writes: first,
        events,
        finish,
    } = plan;
    writes.extend(first);
    let receipt = |new: &NewEntry| PublishReceipt {
        id: new.id(),
        position: numbering.place(new),
    };
    let receipts: Vec<_> = events.iter().map(receipt).collect();
    let Finished { done, writes: then } = finish(&receipts);
    writes.extend(then);
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn id(i: u8) -> EventId {
        EventId::from_bytes([i; 16])
    }

    proptest! {
        /// Whatever is known and whatever is repeated, new entries follow the head without a hole,
        /// each once, in the order in which they came first, and every position is that of its
        /// entry.
        #[test]
        fn entries_are_numbered_without_holes(
            n in 0u64..1_000, known in proptest::collection::btree_set(0u8..30, 0..10),
            ids in proptest::collection::vec(0u8..30, 0..40),
        ) {
            let before = Standing { epoch: Epoch::from_bits(7), turn: 3, n, id: id(99) };
            let had: HashMap<EventId, u64> =
                known.iter().map(|i| (id(*i), u64::from(*i))).collect();
            let mut numbering = Numbering::after(before, &had, 5);
            let mut first = Vec::new();
            for i in ids {
                let new = NewEntry::event([], ("e", json!({}))).unwrap().with_id(id(i));
                if !known.contains(&i) && !first.contains(&i) {
                    first.push(i);
                }
                let due = had.get(&id(i)).copied()
                    .unwrap_or_else(|| n + 1 + first.iter().position(|f| *f == i).unwrap() as u64);
                prop_assert_eq!(numbering.place(&new), Position::of(before.epoch, due, id(i)));
            }
            let due: Vec<_> = (n + 1..).zip(&first).map(|(n, i)| Position::of(before.epoch, n, id(*i))).collect();
            let entries: Vec<_> = numbering.entries.iter().map(|entry| entry.position()).collect();
            prop_assert_eq!(entries, due);
            let last = first.last().map_or(id(99), |i| id(*i));
            let due = Standing { turn: 4, n: n + first.len() as u64, id: last, ..before };
            prop_assert_eq!(numbering.end(), due);
        }
    }
}
