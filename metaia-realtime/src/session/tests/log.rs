//! The log under the stories.

use std::sync::{Arc, Mutex};

use crate::{
    EventLog, MemoryLog, NewEntry, Position, Room,
    log::{Head, History, LogError, Page, Retention},
};

/// A small log that may begin a new epoch, as a log that is restored while a node runs does.
#[derive(Clone)]
pub(super) struct Log(Arc<Mutex<MemoryLog>>);

impl Log {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(small())))
    }

    /// Returns a log that trims nothing in a test.
    pub(super) fn large() -> Self {
        Self(Arc::new(Mutex::new(MemoryLog::default())))
    }

    pub(super) fn now(&self) -> MemoryLog {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn begin_new_epoch(&self) {
        *self.0.lock().unwrap() = small();
    }
}

fn small() -> MemoryLog {
    MemoryLog::new(Retention::MEMORY.entries(12))
}

impl EventLog for Log {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        Ok(self.now().append_now(entries))
    }
    async fn head(&self) -> Result<Head, LogError> {
        self.now().head().await
    }
    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.now().read(rooms, after, limit).await
    }
    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.now().history(n, rooms, limit).await
    }
    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.now().changes()
    }
}
