//! Following: finds the entries that were committed beside the log, such as in a transaction of the
//! embedder's own.
//!
//! One task looks when [`EventLog::wake`](crate::EventLog::wake) asks for it; calls that come while
//! it looks share the next look. If the database cannot be read, it retries every second until it
//! can.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use super::{meta::Meta, read, state::SqliteLogState};
use crate::{
    failure_log::FailureLog,
    log::{LogError, tail::ENTRIES},
};

/// The pause before another try, if the database could not be read.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Looks for entries when the log is woken, until it is closed or dropped.
pub(super) async fn run(log: Weak<SqliteLogState>, closing: CancellationToken) {
    let Some(woken) = log.upgrade().map(|log| Arc::clone(&log.woken)) else {
        return;
    };
    let mut failures = FailureLog::default();
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = woken.notified() => {}
        }
        let Some(log) = log.upgrade() else { return };
        let found = tokio::select! {
            () = closing.cancelled() => return,
            found = log.take_in_committed() => found,
        };
        // The log may be dropped while the task waits.
        drop(log);
        let Err(error) = found else {
            failures.worked(|| tracing::info!("committed entries can be read again"));
            continue;
        };
        failures.failed(|| {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "committed entries cannot be read; trying again");
        });
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(RETRY_PAUSE) => woken.notify_one(),
        }
    }
}

impl SqliteLogState {
    /// Reads the entries that are committed and not in memory yet, and adds them to the tail.
    async fn take_in_committed(self: &Arc<Self>) -> Result<(), LogError> {
        let known = self.tail.lock().head().position.n();
        let read_committed = move |db: &Connection| {
            let meta = Meta::read(db)?;
            // Only as many as stay in memory: readers find older ones in the database.
            let oldest = meta.head.saturating_sub(ENTRIES as u64);
            let after = known.max(meta.floor).max(oldest);
            if meta.head > after {
                read::entries_after(db, &meta, after, ENTRIES)
            } else {
                Ok(Vec::new())
            }
        };
        let committed = self.from_database(read_committed).await?;
        self.add_committed(&committed);
        Ok(())
    }
}
