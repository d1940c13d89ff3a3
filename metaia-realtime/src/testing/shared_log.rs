//! One log for several nodes in one process, each of which knows of the others' entries only once
//! it has looked.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    EventLog, MemoryLog, NewEntry, Position, Room,
    log::{Head, History, LogError, Page, Retention},
};

/// A log in memory that several nodes of one process share, as they would share a database: for
/// tests of a cluster.
#[derive(Debug, Clone)]
pub struct SharedLog {
    log: MemoryLog,
}

/// The log as one node sees it: its own entries at once, the others' after a
/// [`wake`](EventLog::wake) or a poll. It can be cut off. A handle: clones share one node's view.
#[derive(Debug, Clone)]
pub struct NodeLog {
    view: Arc<View>,
    _polling: Arc<DropGuard>,
}

#[derive(Debug)]
struct View {
    log: MemoryLog,
    known: watch::Sender<u64>,
    own: watch::Sender<u64>,
    /// Two that look at once do not tell an older head after a newer one.
    looking: Mutex<()>,
    cut: AtomicBool,
    looks: AtomicU64,
}

impl SharedLog {
    /// An empty log.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            log: MemoryLog::new(retention),
        }
    }

    /// The view of one more node, which looks by itself every so often; `None`: never.
    ///
    /// # Panics
    /// Outside a tokio runtime, where it is to look by itself.
    #[must_use]
    pub fn node(&self, poll: Option<Duration>) -> NodeLog {
        let view = Arc::new(View {
            known: watch::Sender::new(*self.log.changes().borrow()),
            own: watch::Sender::new(0),
            log: self.log.clone(),
            looking: Mutex::default(),
            cut: false.into(),
            looks: 0.into(),
        });
        let stopping = CancellationToken::new();
        if let Some(every) = poll {
            let polling = poll_every(Arc::clone(&view), every);
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

async fn poll_every(view: Arc<View>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        view.look();
    }
}

impl NodeLog {
    /// From here on this node can neither read nor write the log, or can again.
    pub fn set_cut_off(&self, cut: bool) {
        self.view.cut.store(cut, Ordering::SeqCst);
    }

    /// How often this node has looked at what others appended.
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.view.looks.load(Ordering::SeqCst)
    }
}

impl View {
    fn look(&self) {
        self.looks.fetch_add(1, Ordering::SeqCst);
        if !self.cut.load(Ordering::SeqCst) {
            self.refresh();
        }
    }

    /// What is there by now is known.
    fn refresh(&self) {
        let _looking = self.lock();
        let head = *self.log.changes().borrow();
        self.known.send_if_modified(|known| {
            let grown = head > *known;
            *known = head.max(*known);
            grown
        });
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), LogError> {
        if self.cut.load(Ordering::SeqCst) {
            return Err(LogError::Unavailable(
                "this node is cut off from the log".into(),
            ));
        }
        Ok(())
    }
}

impl EventLog for NodeLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        self.view.check()?;
        let positions = self.view.log.append(entries).await?;
        let last = positions
            .iter()
            .map(|position| position.n())
            .max()
            .unwrap_or(0);
        self.view.refresh();
        self.view.own.send_if_modified(|own| {
            let grown = last > *own;
            *own = last.max(*own);
            grown
        });
        Ok(positions)
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.view.check()?;
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
        self.view.check()?;
        let known = *self.view.known.borrow();
        let mut page = self.view.log.read(rooms, after, limit).await?;
        page.entries.retain(|entry| entry.n() <= known);
        page.scanned = page.scanned.min(known).max(after);
        Ok(page)
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.view.check()?;
        let history = self.view.log.history(n, rooms, limit).await?;
        self.view.refresh();
        Ok(history)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.view.known.subscribe()
    }

    fn local_appends(&self) -> watch::Receiver<u64> {
        self.view.own.subscribe()
    }

    fn wake(&self) {
        self.view.look();
    }
}
