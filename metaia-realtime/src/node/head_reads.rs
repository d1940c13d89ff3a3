//! Reads of the log's head that callers share: a page of clients that all ask at once costs one or
//! two reads.
//!
//! One read is under way at a time. It serves every caller that came before it began; those that
//! come later wait for the next one. A caller that goes away while it reads leaves the read to the
//! next one that waits.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::Node;
use crate::{
    Position,
    log::{DynEventLog, LogError},
};

/// The reads of a node.
#[derive(Debug, Default)]
pub(super) struct HeadReads {
    /// The number of calls so far.
    calls: AtomicU64,
    /// Held by the caller that reads.
    last: Mutex<LastRead>,
}

#[derive(Debug, Default)]
struct LastRead {
    /// The calls up to this one came before the read began.
    serves: u64,
    /// `None` if it failed.
    head: Option<Position>,
}

impl HeadReads {
    /// Returns the head that the log certainly has at a time after the call. Cancel safe.
    async fn read(&self, log: &dyn DynEventLog) -> Result<Position, LogError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let mut last = self.last.lock().await;
        if call <= last.serves {
            let failed = || LogError::Unavailable("the read that others made, too, failed".into());
            return last.head.ok_or_else(failed);
        }
        let serves = self.calls.load(Ordering::SeqCst);
        let head = log.certain_head().await.map(|head| head.position);
        *last = LastRead {
            serves,
            head: head.as_ref().ok().copied(),
        };
        head
    }
}

impl Node {
    /// Returns the head that the log certainly has at a time after the call. Calls that come
    /// together share one read. Cancel safe.
    ///
    /// # Errors
    /// Returns the log's error.
    pub(crate) async fn read_head(&self) -> Result<Position, LogError> {
        self.head_reads.read(&*self.log).await
    }
}
