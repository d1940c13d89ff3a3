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
    session::{EndReason, Nowhere, Session},
    values::NodeId,
};

/// A directory in memory that can be away, silent, or emptied.
#[derive(Clone, Default)]
struct Shaky {
    memory: Arc<Mutex<MemoryDirectory>>,
    fails: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    largest: Arc<AtomicUsize>,
}

impl Shaky {
    async fn now(&self) -> Result<MemoryDirectory, DirectoryError> {
        if self.hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(SeqCst) {
            return Err(DirectoryError("away".into()));
        }
        Ok(self.memory.lock().unwrap().clone())
    }

    /// Everything in it is lost.
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

impl Directory for Shaky {
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
    shaky: Shaky,
    node: Arc<Node>,
}

impl Cluster {
    /// A node that announces.
    async fn new(limits: Limits) -> Self {
        let (shaky, log) = (Shaky::default(), MemoryLog::default());
        let head = log.head().await.unwrap().position;
        let parts = NodeParts {
            log: Arc::new(log),
            limits,
            directory: Some(Arc::new(shaky.clone())),
            ..NodeParts::default()
        };
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        let node = Arc::new(Node::new(Window::new(head), Arc::new(authenticator), parts));
        node.tasks.spawn(run(Arc::clone(&node)));
        Self { shaky, node }
    }

    fn connect(&self, user: &str) -> Arc<Session> {
        let identity = Identity::new(user.parse().unwrap(), Role::Customer);
        let began = self.node.window.head();
        let session = Arc::new(Session::new(
            &self.node,
            identity,
            None,
            began,
            Arc::new(Nowhere),
        ));
        assert!(self.node.register(&session));
        session
    }

    /// What others see after so many seconds is what is here.
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
            assert_eq!(self.shaky.seen().await, here, "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn others_see_within_a_second_who_comes_changes_and_goes() {
    let cluster = Cluster::new(Limits::default()).await;
    cluster.agrees_after(1).await;
    let (one, _two) = (cluster.connect("c1"), cluster.connect("c2"));
    cluster.agrees_after(1).await;
    let order = "o1".parse().unwrap();
    let mut join = cluster.node.registry.begin_join(&order);
    let join_state = |session: &Session, room: Room| session.state().join(room, 0);
    cluster.node.registry.enter(&one, &mut join, join_state);
    cluster.node.announcer.changed(one.id);
    cluster.agrees_after(1).await;
    cluster.node.leave(&one, &Room::Order(order.clone()));
    cluster.agrees_after(1).await;
    cluster.node.end(&one, EndReason::ClientLeft);
    cluster.agrees_after(1).await;
    assert_eq!(cluster.shaky.seen().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_for_as_long_as_the_node_runs_and_ends_with_it() {
    let cluster = Cluster::new(Limits::default()).await;
    cluster.connect("c1");
    cluster.agrees_after(600).await;
    cluster.node.stopping.cancel();
    cluster.node.tasks.close();
    cluster.node.tasks.wait().await;
    assert_eq!(cluster.shaky.seen().await, []);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_all_is_announced_anew() {
    let cluster = Cluster::new(Limits::default()).await;
    let gone = cluster.connect("c1");
    cluster.agrees_after(1).await;
    for away in [&cluster.shaky.fails, &cluster.shaky.hangs] {
        for seconds in [2, 60] {
            away.store(true, SeqCst);
            cluster.connect("c2");
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            cluster.node.end(&gone, EndReason::ClientLeft);
            away.store(false, SeqCst);
            cluster.agrees_after(5).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_lost_all_is_told_all() {
    let cluster = Cluster::new(Limits::default()).await;
    (0..5).for_each(|i| drop(cluster.connect(&format!("c{i}"))));
    cluster.agrees_after(1).await;
    cluster.shaky.flush();
    cluster.agrees_after(6).await;
    assert_eq!(cluster.shaky.seen().await.len(), 5);
}

/// As after SIGSTOP: nothing of it runs for longer than its lease, and meanwhile one has come and
/// one has gone.
#[tokio::test(start_paused = true)]
async fn a_node_that_was_asleep_comes_back_with_what_it_has_then() {
    let cluster = Cluster::new(Limits::default()).await;
    let gone = cluster.connect("c1");
    cluster.connect("c2");
    cluster.agrees_after(1).await;
    cluster.shaky.hangs.store(true, SeqCst);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(
        cluster.shaky.seen().await,
        [],
        "nobody believes in it after its lease"
    );
    cluster.node.end(&gone, EndReason::PingTimeout);
    cluster.connect("c3");
    cluster.shaky.hangs.store(false, SeqCst);
    cluster.agrees_after(5).await;
    assert_eq!(cluster.shaky.seen().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn too_many_changes_are_announced_as_all_that_there_is() {
    let limits = Limits {
        sessions: 1_500,
        sessions_per_user: 10_000,
        ..Limits::default()
    };
    let cluster = Cluster::new(limits).await;
    let stays: Vec<_> = (0..1_200).map(|_| cluster.connect("c1")).collect();
    cluster.agrees_after(2).await;
    assert_eq!(cluster.shaky.largest.load(SeqCst), 1_000);
    // More come and go than can be noted, before anybody looks.
    for session in &stays {
        cluster.node.end(session, EndReason::ClientLeft);
    }
    for _ in 0..4_000 {
        let session = cluster.connect("c2");
        cluster.node.end(&session, EndReason::ClientLeft);
    }
    cluster.connect("c3");
    cluster.agrees_after(2).await;
    assert_eq!(cluster.shaky.seen().await.len(), 1);
}
