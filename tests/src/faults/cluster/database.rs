//! An empty database for tests that do not break MongoDB itself. All of them share one replica set
//! of one node, which runs as long as a test of this process has a database in it.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use tokio::sync::{Mutex, oneshot};

use super::replica_set::ReplicaSet;

/// A database. A clone refers to the same one. When the last database of this process is dropped,
/// the shared `mongod` ends.
#[derive(Debug, Clone)]
pub struct Database {
    shared: Arc<SharedMongod>,
    name: String,
}

impl Database {
    /// Creates an empty database.
    pub async fn new() -> Self {
        static SHARED: Mutex<Weak<SharedMongod>> = Mutex::const_new(Weak::new());
        let mut known = SHARED.lock().await;
        let shared = match known.upgrade() {
            Some(shared) => shared,
            None => Arc::new(SharedMongod::start().await),
        };
        *known = Arc::downgrade(&shared);
        Self {
            shared,
            name: format!("test-{}", uuid::Uuid::new_v4().simple()),
        }
    }

    /// Returns the `MONGODB_URI` of the database.
    #[must_use]
    pub fn uri(&self) -> String {
        self.shared
            .uri
            .replacen("/?", &format!("/{}?", self.name), 1)
    }
}

/// A replica set with its own thread and runtime, because it outlives the test that started it.
#[derive(Debug)]
struct SharedMongod {
    uri: String,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SharedMongod {
    async fn start() -> Self {
        let (started, uri) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("shared mongod".to_owned());
        let thread = thread
            .spawn(move || run_mongod(started, ended))
            .expect("a thread");
        let uri = uri.await.expect("the shared mongod starts");
        Self {
            uri,
            end: Some(end),
            thread: Some(thread),
        }
    }
}

fn run_mongod(started: oneshot::Sender<String>, ended: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut set = ReplicaSet::start(1).await;
        if started.send(set.uri("")).is_ok() {
            let _ = ended.await;
        }
        set.kill().await;
    });
}

impl Drop for SharedMongod {
    fn drop(&mut self) {
        drop(self.end.take());
        // The thread kills `mongod` at once. Waiting for it makes sure that the folder is removed
        // before this process ends.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
