//! Records that are written together with the log, and the plan of a change.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use mongodb::bson::Document;

use crate::{NewEntry, PublishReceipt};

/// Records that change together with the log.
///
/// Contract, with the failure that each clause prevents:
/// - [`plan`](Self::plan) reads and decides, and writes nothing. A batch that loses to the batch of
///   another node is planned again, and a write of the first plan would remain.
/// - `plan` reads from the primary, and only data that a majority has: otherwise a change is
///   planned from a write that is rolled back later.
/// - `plan` decides each change as if the changes before it in the batch were made: they are
///   written together.
/// - A program that writes these collections without a committer may only make changes that the
///   filters of the planned writes detect: otherwise a batch overwrites them.
pub trait Records: Send + Sync + 'static {
    /// A request to change records.
    type Change: Send + Sync + 'static;
    /// The result of a change. A refusal is a result, too.
    type Done: Send + 'static;

    /// Decides a batch: returns one plan per change, in the order of the changes.
    ///
    /// # Errors
    /// Returns the driver's error if the database cannot be read. The whole batch is then planned
    /// again, until its callers time out.
    fn plan<'a>(
        &'a self,
        changes: &'a [Arc<Self::Change>],
    ) -> BoxFuture<'a, Result<Vec<Plan<Self::Done>>, mongodb::error::Error>>;
}

/// Makes the result of a change from the positions of its events.
type Finish<D> = Box<dyn FnOnce(&[PublishReceipt]) -> Finished<D> + Send>;

/// The decision on one change.
pub struct Plan<D> {
    /// The writes.
    pub writes: Vec<RecordWrite>,
    /// The events to publish with them, in this order.
    pub events: Vec<NewEntry>,
    /// Makes the result, once the positions of the events are known.
    pub finish: Finish<D>,
}

impl<D: Send + 'static> Plan<D> {
    /// Returns a plan that writes nothing and has this result.
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

/// The result of a change, and the writes that depend on it.
#[derive(Debug)]
pub struct Finished<D> {
    /// The result.
    pub done: D,
    /// Writes that contain the result, for example under an idempotency key. They are part of the
    /// same batch.
    pub writes: Vec<RecordWrite>,
}

/// A write of one record.
///
/// On a standalone server a write may be carried out a second time, even much later, and must do
/// nothing then. An insert finds its `_id`, or another unique key. The filter of an update must not
/// match the document that the update has made, nor any later state of it: name the version or the
/// status that the update replaces.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RecordWrite {
    /// Inserts a document. If one of its unique keys exists already, the batch is planned again.
    Insert {
        /// The collection.
        collection: &'static str,
        /// The document, with its `_id`.
        document: Document,
    },
    /// Changes one document. If no document matches, it has changed since it was read, and the
    /// batch is planned again.
    Update {
        /// The collection.
        collection: &'static str,
        /// The filter of the document.
        filter: Document,
        /// Update operators, or a whole document that replaces it.
        update: Document,
    },
    /// Changes all documents that match, which may be none.
    UpdateMany {
        /// The collection.
        collection: &'static str,
        /// The filter of the documents.
        filter: Document,
        /// Update operators.
        update: Document,
    },
    /// Deletes all documents that match, which may be none.
    Delete {
        /// The collection.
        collection: &'static str,
        /// The filter of the documents.
        filter: Document,
    },
}

/// The records of a log that is opened without records: there are no changes of them.
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
