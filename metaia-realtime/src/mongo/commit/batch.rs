//! The content of one batch, and the results of its jobs. A pure kernel.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::job::{CommitJob, JobRequest, JobResult};
use crate::{
    NewEntry, Position, PublishReceipt,
    log::Entry,
    mongo::{
        head::HeadVersion,
        head_update::HeadUpdate,
        numbering::Numbering,
        records::{Finished, Plan, RecordWrite, Records},
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

/// The results of jobs, in the order of the jobs.
pub(super) type JobResults<R> = Vec<JobResult<<R as Records>::Done>>;

/// Puts jobs into a batch. The plans are those of the changes among the jobs, in their order.
/// Returns `None` if there are more or fewer plans than changes.
pub(super) fn draft<R: Records>(
    jobs: &[Arc<CommitJob<R>>],
    plans: Vec<Plan<R::Done>>,
    before: HeadVersion,
    known: &HashMap<EventId, u64>,
    ts: i64,
) -> Option<(CommitBatch, JobResults<R>)> {
    let mut plans = plans.into_iter();
    let mut draft = Draft {
        numbering: Numbering::after(before, known, ts),
        writes: Vec::new(),
    };
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs {
        let result = match &job.request {
            JobRequest::Append(entries) => JobResult::Positions(draft.append(entries)),
            JobRequest::Change(_) => JobResult::Done(draft.change(plans.next()?)),
        };
        results.push(result);
    }
    if plans.next().is_some() {
        return None;
    }
    Some((draft.into_batch(before), results))
}

/// A batch to which jobs are added.
struct Draft<'a> {
    numbering: Numbering<'a>,
    writes: Vec<RecordWrite>,
}

impl Draft<'_> {
    fn append(&mut self, entries: &[NewEntry]) -> Vec<Position> {
        entries
            .iter()
            .map(|new| self.numbering.place(new))
            .collect()
    }

    fn change<D>(&mut self, plan: Plan<D>) -> D {
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

    fn into_batch(self, before: HeadVersion) -> CommitBatch {
        CommitBatch {
            id: Uuid::new_v4(),
            before,
            after: self.numbering.end(),
            groups: group(self.writes),
            entries: self.numbering.entries,
        }
    }
}
