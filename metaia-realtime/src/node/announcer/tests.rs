//! A node that announces its sessions, with a directory that fails, hangs or forgets.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use super::run;
use crate::presence::{
    Directory, DirectoryError, MemoryDirectory, NodeView, RoomQuery, RoomView, SessionChange,
    SessionQuery, SessionView,
};
use crate::{
    EventLog as _, Identity, JwtAuthenticator, Limits, MemoryLog, Role, Room,
    node::{Node, NodeParts, Window, session_view},
    session::{BeforeStart, EndReason, Phase, Session, SilentPort},
    values::NodeId,
};

/// A directory in memory that can fail, hang, or be emptied.
#[derive(Clone, Default)]
struct FaultyDirectory {
    memory: Arc<Mutex<MemoryDirectory>>,
    fails: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    largest: Arc<AtomicUsize>,
}

impl FaultyDirectory {
    async fn now(&self) -> Result<MemoryDirectory, DirectoryError> {
        if self.hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(SeqCst) {
            return Err(DirectoryError("unavailable".into()));
        }
        Ok(self.memory.lock().unwrap().clone())
    }

    /// Removes everything.
    fn flush(&self) {
        *self.memory.lock().unwrap() = MemoryDirectory::default();
    }

    async fn seen(&self) -> Vec<SessionView> {
        let memory = self.memory.lock().unwrap().clone();
        let query = SessionQuery {
            limit: usize::MAX,
            ..SessionQuery::default()
        };
        memory.sessions(&query).await.unwrap()
    }
}

impl Directory for FaultyDirectory {
    async fn begin(&self, node: &NodeView, lease: Duration) -> Result<(), DirectoryError> {
        self.now().await?.begin(node, lease).await
    }
    async fn renew(&self, node: &NodeView, lease: Duration) -> Result<bool, DirectoryError> {
        self.now().await?.renew(node, lease).await
    }
    async fn announce(
        &self,
        node: NodeId,
        changes: Vec<SessionChange>,
    ) -> Result<(), DirectoryError> {
        self.largest.fetch_max(changes.len(), SeqCst);
        self.now().await?.announce(node, changes).await
    }
    async fn leave(&self, node: NodeId) -> Result<(), DirectoryError> {
        self.now().await?.leave(node).await
    }
    async fn nodes(&self) -> Result<Vec<NodeView>, DirectoryError> {
        self.now().await?.nodes().await
    }
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionView>, DirectoryError> {
        self.now().await?.sessions(query).await
    }
    async fn rooms(&self, query: &RoomQuery) -> Result<Vec<RoomView>, DirectoryError> {
        self.now().await?.rooms(query).await
    }
}

struct Cluster {
    directory: FaultyDirectory,
    node: Arc<Node>,
}

impl Cluster {
    /// Starts a node that announces.
    async fn new(limits: Limits) -> Self {
        let directory = FaultyDirectory::default();
        let log = MemoryLog::default();
        let head = log.head().await.unwrap().position;
        let parts = NodeParts {
            log: Arc::new(log),
            limits,
            directory: Some(Arc::new(directory.clone())),
            ..NodeParts::default()
        };
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        let node = Arc::new(Node::new(Window::new(head), Arc::new(authenticator), parts));
        node.tasks.spawn(run(Arc::clone(&node)));
        Self { directory, node }
    }

    fn connect(&self, user: &str) -> Arc<Session> {
        let identity = Identity::new(user.parse().unwrap(), Role::Customer);
        let session = Arc::new(Session::new(
            &self.node,
            identity,
            None,
            Phase::NotBegun(BeforeStart::default()),
            Arc::new(SilentPort),
        ));
        assert!(self.node.register(&session).is_ok());
        session
    }

    /// Checks that the directory shows the node's sessions after this many seconds.
    #[track_caller]
    fn agrees_after(&self, seconds: u64) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            let query = SessionQuery {
                limit: usize::MAX,
                ..SessionQuery::default()
            };
            let all = self.node.registry.all();
            let here = query.first_of(
                all.iter()
                    .map(|session| session_view(self.node.id, session)),
            );
            assert_eq!(self.directory.seen().await, here, "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_directory_shows_every_change_within_a_second() {
    let cluster = Cluster::new(Limits::default()).await;
    cluster.agrees_after(1).await;
    let one = cluster.connect("c1");
    cluster.connect("c2");
    cluster.agrees_after(1).await;
    let order = "o1".parse().unwrap();
    let mut join = cluster.node.registry.begin_join(&order);
    let join_state = |session: &Session, room: Room| session.state().join(room, 0);
    cluster.node.registry.enter(&one, &mut join, join_state);
    cluster.node.announcer.note_change(one.id);
    cluster.agrees_after(1).await;
    cluster.node.leave(&one, &Room::Order(order.clone()));
    cluster.agrees_after(1).await;
    cluster.node.end(&one, EndReason::ClientLeft);
    cluster.agrees_after(1).await;
    assert_eq!(cluster.directory.seen().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_for_as_long_as_the_node_runs_and_ends_with_it() {
    let cluster = Cluster::new(Limits::default()).await;
    cluster.connect("c1");
    cluster.agrees_after(600).await;
    cluster.node.stopping.cancel();
    cluster.node.tasks.close();
    cluster.node.tasks.wait().await;
    assert_eq!(cluster.directory.seen().await, []);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_all_sessions_are_announced_again() {
    let cluster = Cluster::new(Limits::default()).await;
    let leaving = cluster.connect("c1");
    cluster.agrees_after(1).await;
    for fault in [&cluster.directory.fails, &cluster.directory.hangs] {
        for seconds in [2, 60] {
            fault.store(true, SeqCst);
            cluster.connect("c2");
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            cluster.node.end(&leaving, EndReason::ClientLeft);
            fault.store(false, SeqCst);
            cluster.agrees_after(5).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_lost_everything_is_told_all_sessions() {
    let cluster = Cluster::new(Limits::default()).await;
    for i in 0..5 {
        cluster.connect(&format!("c{i}"));
    }
    cluster.agrees_after(1).await;
    cluster.directory.flush();
    cluster.agrees_after(6).await;
    assert_eq!(cluster.directory.seen().await.len(), 5);
}

/// As after SIGSTOP: no task of the node runs for longer than its lease, while one session
/// registers and one ends.
#[tokio::test(start_paused = true)]
async fn a_node_that_was_stopped_announces_its_present_sessions() {
    let cluster = Cluster::new(Limits::default()).await;
    let leaving = cluster.connect("c1");
    cluster.connect("c2");
    cluster.agrees_after(1).await;
    cluster.directory.hangs.store(true, SeqCst);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(cluster.directory.seen().await, [], "the lease has expired");
    cluster.node.end(&leaving, EndReason::PingTimeout);
    cluster.connect("c3");
    cluster.directory.hangs.store(false, SeqCst);
    cluster.agrees_after(5).await;
    assert_eq!(cluster.directory.seen().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_too_many_changes_all_sessions_are_announced() {
    let limits = Limits {
        sessions: 1_500,
        sessions_per_user: 10_000,
        ..Limits::default()
    };
    let cluster = Cluster::new(limits).await;
    let stays: Vec<_> = (0..1_200).map(|_| cluster.connect("c1")).collect();
    cluster.agrees_after(2).await;
    assert_eq!(cluster.directory.largest.load(SeqCst), 1_000);
    // More sessions change than can be noted, before the task runs.
    for session in &stays {
        cluster.node.end(session, EndReason::ClientLeft);
    }
    for _ in 0..4_000 {
        let session = cluster.connect("c2");
        cluster.node.end(&session, EndReason::ClientLeft);
    }
    cluster.connect("c3");
    cluster.agrees_after(2).await;
    assert_eq!(cluster.directory.seen().await.len(), 1);
}
