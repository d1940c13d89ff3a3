//! Opening a log: its tasks, and the committer that writes it.

use std::sync::Arc;

use super::{
    Committer, Mongo, MongoLog,
    log::RunningLog,
    records::{NoRecords, Records},
};
use crate::log::Retention;

impl MongoLog {
    /// Opens the log of a database, without records. Call it on a tokio runtime: the tasks of the
    /// log run there.
    #[must_use]
    pub fn open(mongo: &Mongo, retention: Retention) -> Self {
        Self::with_records(mongo, retention, NoRecords).0
    }

    /// Opens the log together with a [`Committer`], which changes records and appends entries in
    /// one transaction. Call it on a tokio runtime: the tasks of the log run there.
    pub fn with_records<R: Records>(
        mongo: &Mongo,
        retention: Retention,
        records: R,
    ) -> (Self, Committer<R>) {
        let running = RunningLog::start(mongo, retention);
        let committer = Committer::start(&running, records);
        let log = Self::new(running, Arc::new(committer.clone()));
        (log, committer)
    }
}
