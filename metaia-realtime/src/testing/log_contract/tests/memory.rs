//! The log in memory, with a clock that can be moved.

use std::{
    future::{Future, ready},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    EventLog, MemoryLog, NewEntry, Position, Room,
    log::{Head, History, LogError, Page, Retention},
    testing::log_contract::Subject,
    values::time,
};

struct InMemory;

impl Subject for InMemory {
    type Log = Aging;
    const DURABLE: bool = false;

    fn new() -> Self {
        Self
    }

    async fn open(&self, retention: Retention) -> Aging {
        Aging {
            log: MemoryLog::new(retention),
            ahead: AtomicI64::new(0),
        }
    }

    async fn trim(&self, log: &Aging) {
        log.log.trim_at(log.now());
    }

    fn pass(&self, log: &Aging, time: Duration) -> bool {
        log.ahead
            .fetch_add(time.as_millis() as i64, Ordering::SeqCst);
        true
    }
}

/// The log in memory, with a clock that is ahead of the test's.
struct Aging {
    log: MemoryLog,
    ahead: AtomicI64,
}

impl Aging {
    fn now(&self) -> i64 {
        time::unix_ms() + self.ahead.load(Ordering::SeqCst)
    }
}

impl EventLog for Aging {
    fn append(
        &self,
        entries: Vec<NewEntry>,
    ) -> impl Future<Output = Result<Vec<Position>, LogError>> + Send {
        ready(Ok(self.log.append_at(entries, self.now())))
    }

    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send {
        self.log.head()
    }

    fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Page, LogError>> + Send {
        self.log.read(rooms, after, limit)
    }

    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send {
        self.log.history(n, rooms, limit)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

crate::log_contract!(InMemory);
