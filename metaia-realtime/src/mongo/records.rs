//! Records that are written together with the log, and the plan of a change.

use std::fmt;

use futures_util::future::BoxFuture;
use mongodb::bson::Document;

use crate::{NewEntry, PublishReceipt};

/// Records that change together with the log: how they are read before a batch of changes is
/// planned.
///
/// Each kind of change is a type of its own, a [`RecordChange`]. A batch is planned in three steps:
/// every change says what it [wants](RecordChange::want) to know, [`read`](Self::read) reads it
/// for all of them at once, and every change [plans](RecordChange::plan) its writes and events. A
/// batch that loses to the batch of another node is planned again.
///
/// Contract, with the failure that each clause prevents:
/// - [`read`](Self::read) reads from the primary, and only data that a majority has: otherwise a
///   change is planned from a write that is rolled back later.
/// - `read` writes nothing: a batch may be read for and never be written.
/// - A program that writes these collections without a committer may only make changes that the
///   filters of the planned writes detect: otherwise a batch overwrites them.
pub trait Records: Send + Sync + 'static {
    /// The questions that the changes of a batch ask, for example ids of records. It starts empty.
    type Wanted: Default + Send + 'static;
    /// The facts that were read. The default stands for a batch without changes, for which nothing
    /// is read.
    type Facts: Default + Send + 'static;

    /// Reads what the changes of a batch want to know.
    ///
    /// # Errors
    /// Returns the driver's error if the database cannot be read. The whole batch is then tried
    /// again, until its callers time out.
    fn read(
        &self,
        wanted: Self::Wanted,
    ) -> BoxFuture<'_, Result<Self::Facts, mongodb::error::Error>>;
}

/// A change of [`Records`], with the type of its result.
///
/// Contract, with the failure that each clause prevents:
/// - [`plan`](Self::plan) changes the facts as its writes will change the records. Otherwise the
///   changes after it in the batch, which are written together with it, are planned from facts that
///   no longer hold.
/// - A `plan` that refuses leaves the facts as they were. Otherwise the changes after it are
///   planned from a change that is never made.
/// - `plan` decides from the facts alone. It may be called several times, each time with other
///   facts, and only one of the plans is stored.
///
/// A change that panics while it is planned fails with
/// [`LogError::Unavailable`](crate::log::LogError::Unavailable), and one line is logged. The other
/// changes of its batch are then made one by one.
pub trait RecordChange<R: Records>: Send + Sync + 'static {
    /// The result of the change. A refusal is a result, too.
    type Done: Send + 'static;

    /// Adds what the change has to know to be planned.
    fn want(&self, wanted: &mut R::Wanted);

    /// Decides the change.
    fn plan(&self, facts: &mut R::Facts) -> Plan<Self::Done>;
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

    /// Returns the plan with another result, which is made from the one that it had.
    pub fn map<T>(self, result: impl FnOnce(D) -> T + Send + 'static) -> Plan<T> {
        let finish = self.finish;
        Plan {
            writes: self.writes,
            events: self.events,
            finish: Box::new(move |receipts| {
                let Finished { done, writes } = finish(receipts);
                Finished {
                    done: result(done),
                    writes,
                }
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
    type Wanted = ();
    type Facts = ();

    fn read(&self, (): ()) -> BoxFuture<'_, Result<(), mongodb::error::Error>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
