//! An empty database for a test that does not disturb MongoDB itself: all of them share one replica
//! set of one node, which is there as long as somebody has a database in it.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use tokio::sync::{Mutex, oneshot};

use super::replica_set::ReplicaSet;

/// A database; a clone is the same one. When the last one of this process is dropped, its `mongod`
/// ends.
#[derive(Debug, Clone)]
pub struct Database {
    shared: Arc<Shared>,
    name: String,
}

impl Database {
    /// An empty one.
    pub async fn new() -> Self {
        static SHARED: Mutex<Weak<Shared>> = Mutex::const_new(Weak::new());
        let mut known = SHARED.lock().await;
        let shared = match known.upgrade() {
            Some(shared) => shared,
            None => Arc::new(Shared::start().await),
        };
        *known = Arc::downgrade(&shared);
        Self {
            shared,
            name: format!("test-{}", uuid::Uuid::new_v4().simple()),
        }
    }

    /// `MONGODB_URI` for it.
    #[must_use]
    pub fn uri(&self) -> String {
        self.shared
            .uri
            .replacen("/?", &format!("/{}?", self.name), 1)
    }
}

/// A replica set in a thread and runtime of its own, which outlive the test that was the first to
/// need it.
#[derive(Debug)]
struct Shared {
    uri: String,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Shared {
    async fn start() -> Self {
        let (started, uri) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("shared mongod".to_owned());
        let thread = thread
            .spawn(move || live(started, ended))
            .expect("a thread");
        let uri = uri.await.expect("the shared mongod starts");
        Self {
            uri,
            end: Some(end),
            thread: Some(thread),
        }
    }
}

fn live(started: oneshot::Sender<String>, ended: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut set = ReplicaSet::of(1).await;
        if started.send(set.uri("")).is_ok() {
            let _ = ended.await;
        }
        set.kill().await;
    });
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.end.take());
        // So that its folder is removed before the process ends. It kills at once.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
