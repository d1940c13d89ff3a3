//! A log whose tasks run, without a committer.

use std::sync::Arc;

use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{follow, state::MongoLogState, trim};
use crate::{log::Retention, mongo::Mongo};

/// The state and the tasks of a log. A committer joins them, then both are handed to a
/// [`MongoLog`](super::MongoLog).
pub(in crate::mongo) struct RunningLog {
    pub(in crate::mongo) state: Arc<MongoLogState>,
    pub(in crate::mongo) tasks: TaskTracker,
    /// Cancelled when the log is closed: then the tasks end.
    pub(in crate::mongo) closing: CancellationToken,
    /// Closes the log when the last clone is dropped.
    pub(in crate::mongo) dropped: Arc<DropGuard>,
}

impl RunningLog {
    /// Starts the tasks that follow and trim the log.
    pub(in crate::mongo) fn start(mongo: &Mongo, retention: Retention) -> Self {
        let tasks = TaskTracker::new();
        let closing = CancellationToken::new();
        let state = Arc::new(MongoLogState::new(mongo.clone(), retention));
        tasks.spawn(follow::follow(Arc::downgrade(&state), closing.clone()));
        tasks.spawn(trim::trim_when_needed(
            Arc::downgrade(&state),
            closing.clone(),
        ));
        Self {
            state,
            tasks,
            dropped: Arc::new(closing.clone().drop_guard()),
            closing,
        }
    }
}
