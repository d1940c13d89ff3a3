//! What is written together with the log.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use mongodb::bson::Document;

use crate::{NewEntry, PublishReceipt};

/// Records that change together with the log.
///
/// Contract, with the failure that each clause prevents:
/// - [`plan`](Self::plan) reads and decides, and writes nothing: a batch that loses to another
///   node's is planned again.
/// - It reads from the primary what a majority has, and decides each change as if those before it
///   in the batch were made: they will be.
/// - Whoever else writes these collections, without a committer, may only change what the writes'
///   own conditions notice.
pub trait Records: Send + Sync + 'static {
    /// What is asked for.
    type Change: Send + Sync + 'static;
    /// What is answered: a refusal, too, is an answer.
    type Done: Send + 'static;

    /// Decides a batch. The answers are in the order of the changes, as many as they are.
    ///
    /// # Errors
    /// The database's, where it could not be read: the whole batch is planned again, or given up.
    fn plan<'a>(
        &'a self,
        changes: &'a [Arc<Self::Change>],
    ) -> BoxFuture<'a, Result<Vec<Plan<Self::Done>>, mongodb::error::Error>>;
}

/// Makes the answer, once it is known where the events stand.
type Finish<D> = Box<dyn FnOnce(&[PublishReceipt]) -> Finished<D> + Send>;

/// What is to become of a change.
pub struct Plan<D> {
    /// What is written.
    pub writes: Vec<RecordWrite>,
    /// What is published with it, in this order.
    pub events: Vec<NewEntry>,
    /// Makes the answer.
    pub finish: Finish<D>,
}

impl<D: Send + 'static> Plan<D> {
    /// Nothing is written, and this is answered.
    pub fn answer(done: D) -> Self {
        Self {
            writes: Vec::new(),
            events: Vec::new(),
            finish: Box::new(|_| Finished {
                done,
                writes: Vec::new(),
            }),
        }
    }
}

impl<D> fmt::Debug for Plan<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("writes", &self.writes)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// An answer, and what is written because of it, in the same batch.
#[derive(Debug)]
pub struct Finished<D> {
    /// The answer.
    pub done: D,
    /// Writes that need it: the answer itself under an idempotency key, say.
    pub writes: Vec<RecordWrite>,
}

/// A write of one record.
///
/// On a standalone server it may be carried out a second time, and late: it must do nothing then.
/// An insert finds its `_id`, or another unique key; an update's filter must no longer match what
/// the update made, nor whatever comes of it later (name the version, or the status, that is
/// replaced).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RecordWrite {
    /// A new document. Where a unique key is there already the batch is planned again.
    Insert {
        /// Where.
        collection: &'static str,
        /// What, with its `_id`.
        document: Document,
    },
    /// One document. Where none matches the batch is planned again: somebody else has changed it.
    Update {
        /// Where.
        collection: &'static str,
        /// Which.
        filter: Document,
        /// How: update operators, or a whole document in its place.
        update: Document,
    },
    /// Any number of documents.
    UpdateMany {
        /// Where.
        collection: &'static str,
        /// Which.
        filter: Document,
        /// How: update operators.
        update: Document,
    },
    /// Any number of documents go, or none.
    Delete {
        /// Where.
        collection: &'static str,
        /// Which.
        filter: Document,
    },
}

/// For a log without records.
pub(super) struct NoRecords;

impl Records for NoRecords {
    type Change = std::convert::Infallible;
    type Done = std::convert::Infallible;

    fn plan<'a>(
        &'a self,
        _changes: &'a [Arc<Self::Change>],
    ) -> BoxFuture<'a, Result<Vec<Plan<Self::Done>>, mongodb::error::Error>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
