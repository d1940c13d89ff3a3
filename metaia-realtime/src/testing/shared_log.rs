//! One log for several nodes in one process. Each node sees the entries of the others only after it
//! has looked for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    EventLog, MemoryLog, NewEntry, Position, Room,
    log::{Head, History, LogError, Page, Retention, changes::raise},
    revocation::{
        LogRevocations, MemoryRevocations, Revocation, RevocationChanges, RevocationCursor,
        RevocationError, RevocationStore,
    },
};

/// A log in memory that several nodes of one process share, as they would share a database: for
/// tests of a cluster. Revoked tokens are kept beside it.
#[derive(Debug, Clone)]
pub struct SharedLog {
    log: MemoryLog,
    revocations: MemoryRevocations,
}

/// The log as one node sees it: its own entries at once, the entries of other nodes after a
/// [`wake`](EventLog::wake) or a poll. It can be cut off. A handle: clones share one node's view.
#[derive(Debug, Clone)]
pub struct NodeLog {
    view: Arc<SharedLogView>,
    _polling: Arc<DropGuard>,
}

#[derive(Debug)]
struct SharedLogView {
    log: MemoryLog,
    revocations: MemoryRevocations,
    /// The number of the last entry that this node knows.
    known: watch::Sender<u64>,
    /// The number of the last entry that this node appended.
    local_appends: watch::Sender<u64>,
    /// Held during a look, so that two at the same time do not announce an older head after a newer
    /// one.
    looking: Mutex<()>,
    is_cut_off: AtomicBool,
    looks: AtomicU64,
}

impl SharedLog {
    /// Creates an empty log.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            log: MemoryLog::new(retention),
            revocations: MemoryRevocations::shared(),
        }
    }

    /// Returns the view of one more node. With `poll` it looks for entries by itself, at this
    /// interval.
    ///
    /// # Panics
    /// Panics outside a tokio runtime if `poll` is given.
    #[must_use]
    pub fn node(&self, poll: Option<Duration>) -> NodeLog {
        let view = Arc::new(SharedLogView {
            known: watch::Sender::new(*self.log.changes().borrow()),
            local_appends: watch::Sender::new(0),
            log: self.log.clone(),
            revocations: self.revocations.clone(),
            looking: Mutex::default(),
            is_cut_off: false.into(),
            looks: 0.into(),
        });
        let stopping = CancellationToken::new();
        if let Some(interval) = poll {
            let polling = poll_every(Arc::clone(&view), interval);
            TaskTracker::new().spawn(stopping.clone().run_until_cancelled_owned(polling));
        }
        NodeLog {
            view,
            _polling: Arc::new(stopping.drop_guard()),
        }
    }
}

impl Default for SharedLog {
    fn default() -> Self {
        Self::new(Retention::MEMORY)
    }
}

async fn poll_every(view: Arc<SharedLogView>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        view.look();
    }
}

impl NodeLog {
    /// Cuts this node off, so that it can neither read nor write the log, or reconnects it.
    pub fn set_cut_off(&self, cut: bool) {
        self.view.is_cut_off.store(cut, Ordering::SeqCst);
    }

    /// Returns how often this node has looked for the entries of others.
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.view.looks.load(Ordering::SeqCst)
    }
}

impl SharedLogView {
    fn look(&self) {
        self.looks.fetch_add(1, Ordering::SeqCst);
        if !self.is_cut_off.load(Ordering::SeqCst) {
            self.refresh();
        }
    }

    /// Makes all entries of the log known to this node.
    fn refresh(&self) {
        let _looking = self.looking.lock();
        let head = *self.log.changes().borrow();
        raise(&self.known, head);
    }

    fn check_connected(&self) -> Result<(), LogError> {
        if self.is_cut_off.load(Ordering::SeqCst) {
            return Err(LogError::Unavailable(
                "this node is cut off from the log".into(),
            ));
        }
        Ok(())
    }
}

impl EventLog for NodeLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        self.view.check_connected()?;
        let positions = self.view.log.append(entries).await?;
        let last = positions
            .iter()
            .map(|position| position.n())
            .max()
            .unwrap_or(0);
        self.view.refresh();
        raise(&self.view.local_appends, last);
        Ok(positions)
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.view.check_connected()?;
        let head = self.view.log.head().await?;
        self.view.refresh();
        Ok(head)
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.view.check_connected()?;
        let known = *self.view.known.borrow();
        let mut page = self.view.log.read(rooms, after, limit).await?;
        page.entries.retain(|entry| entry.n() <= known);
        page.scanned = page.scanned.min(known).max(after);
        Ok(page)
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.view.check_connected()?;
        let history = self.view.log.history(n, rooms, limit).await?;
        self.view.refresh();
        Ok(history)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.view.known.subscribe()
    }

    fn local_appends(&self) -> watch::Receiver<u64> {
        self.view.local_appends.subscribe()
    }

    fn wake(&self) {
        self.view.look();
    }

    fn revocations(&self) -> Option<LogRevocations> {
        Some(LogRevocations::new(self.clone()))
    }
}

/// All nodes share them, also a node that is cut off from the log: its clients are authenticated.
impl RevocationStore for NodeLog {
    fn is_shared(&self) -> bool {
        true
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        self.view.revocations.put(revocation).await
    }

    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
    ) -> Result<RevocationChanges, RevocationError> {
        RevocationStore::changed_since(&self.view.revocations, since, limit).await
    }
}
