//! The content of one batch. A pure kernel.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use crate::{
    NewEntry, Position, PublishReceipt,
    log::Entry,
    mongo::{
        head::HeadVersion,
        head_update::HeadUpdate,
        numbering::Numbering,
        records::{Finished, Plan, RecordWrite},
        writes::{WriteGroup, group},
    },
    values::EventId,
};

/// The content of a batch. It is the same for every node that carries the batch out.
#[derive(Debug)]
pub(super) struct CommitBatch {
    /// A random id, by which the head names the batch.
    pub(super) id: Uuid,
    /// The state of the head that the batch was planned from.
    pub(super) before: HeadVersion,
    /// The state of the head after the batch is stored.
    pub(super) after: HeadVersion,
    pub(super) groups: Vec<WriteGroup>,
    pub(super) entries: Vec<Arc<Entry>>,
}

impl CommitBatch {
    /// Returns true if there is nothing to write.
    pub(super) const fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.entries.is_empty()
    }

    /// Returns the update of the head that makes this batch a part of the log.
    pub(super) fn head_update(&self, committer: Uuid) -> HeadUpdate {
        HeadUpdate {
            committer,
            batch: self.id,
            n: self.after.n,
            id: self.after.id,
            bytes: self.bytes(),
        }
    }

    /// Returns the growth of the log in bytes, as [`NewEntry::size`] counts them.
    fn bytes(&self) -> i64 {
        self.entries
            .iter()
            .map(|entry| entry.content().size() as i64)
            .sum()
    }

    pub(super) fn event_ids(&self) -> impl Iterator<Item = EventId> {
        self.entries.iter().map(|entry| entry.content().id())
    }
}

/// Hands a caller the result of its job.
pub(super) type HandOver = Box<dyn FnOnce() + Send>;

/// A batch that is to be stored, and the results of its jobs if it is.
pub(super) struct PlannedTry {
    pub(super) batch: Arc<CommitBatch>,
    pub(super) results: Vec<HandOver>,
}

impl PlannedTry {
    /// Hands all callers their results.
    pub(super) fn hand_over(self) {
        for hand_over in self.results {
            hand_over();
        }
    }
}

/// A batch to which requests are added.
pub(super) struct BatchDraft<'a> {
    before: HeadVersion,
    numbering: Numbering<'a>,
    writes: Vec<RecordWrite>,
}

impl<'a> BatchDraft<'a> {
    /// Starts after the head. Entries in `known` are in the log already and keep their numbers. The
    /// new ones are of the time `ts`, in ms since the Unix epoch.
    pub(super) fn after(before: HeadVersion, known: &'a HashMap<EventId, u64>, ts: i64) -> Self {
        Self {
            before,
            numbering: Numbering::after(before, known, ts),
            writes: Vec::new(),
        }
    }

    /// Adds entries, and returns their positions.
    pub(super) fn append(&mut self, entries: &[NewEntry]) -> Vec<Position> {
        entries
            .iter()
            .map(|new| self.numbering.place(new))
            .collect()
    }

    /// Adds a change, and returns its result.
    pub(super) fn change<D>(&mut self, plan: Plan<D>) -> D {
        self.writes.extend(plan.writes);
        let mut receipts = Vec::with_capacity(plan.events.len());
        for new in &plan.events {
            receipts.push(PublishReceipt {
                id: new.id(),
                position: self.numbering.place(new),
            });
        }
        let Finished { done, writes } = (plan.finish)(&receipts);
        self.writes.extend(writes);
        done
    }

    pub(super) fn into_batch(self) -> CommitBatch {
        CommitBatch {
            id: Uuid::new_v4(),
            before: self.before,
            after: self.numbering.end(),
            groups: group(self.writes),
            entries: self.numbering.entries,
        }
    }
}
