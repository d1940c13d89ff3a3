//! Revocations in paused time: what ends, what is refused, and the races between a client that
//! arrives and the revocation of its token.

mod pages;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use super::{
    phone::Phone,
    refresh::{pass, refresh},
};
use crate::{
    Authenticator, Identity, MemoryLog,
    auth::{AuthError, Credentials},
    device::MemoryDevices,
    node::{Node, NodeParts, NodeStats, Revocations, Window},
    revocation::{
        MemoryRevocations, Revocation, RevocationChanges, RevocationCursor, RevocationError,
        RevocationStore,
    },
    session::{BeforeStart, ConnectRequest, EndReason, Phase, Session, SilentPort},
};

/// Accepts tokens that are texts: user, role, time of issue (`-`: none) and id.
struct IssuedTokens;

impl Authenticator for IssuedTokens {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        let token = credentials.token.ok_or(AuthError::Unauthorized)?;
        identity(&token).ok_or(AuthError::Unauthorized)
    }
}

fn identity(token: &str) -> Option<Identity> {
    let mut words = token.split(' ');
    let user = words.next()?.parse().ok()?;
    let role = words.next()?.parse().ok()?;
    let mut identity = Identity::new(user, role);
    identity.issued_at = words.next()?.parse().ok();
    identity.token_id = words.next().map(str::to_owned);
    Some(identity)
}

fn of_user(user: &str, issued_before: i64) -> Revocation {
    Revocation::of_user(user.parse().unwrap(), issued_before)
}

/// A store that can be down.
#[derive(Clone)]
struct Failing {
    store: MemoryRevocations,
    is_down: Arc<AtomicBool>,
}

impl Failing {
    fn shared() -> Self {
        Self::over(MemoryRevocations::shared())
    }

    fn over(store: MemoryRevocations) -> Self {
        Self {
            store,
            is_down: Arc::default(),
        }
    }

    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), RevocationError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(RevocationError::new("the store is down"));
        }
        Ok(())
    }
}

impl RevocationStore for Failing {
    fn is_shared(&self) -> bool {
        RevocationStore::is_shared(&self.store)
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        self.check()?;
        self.store.put(revocation).await
    }

    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
    ) -> Result<RevocationChanges, RevocationError> {
        self.check()?;
        self.store.changed_since(since, limit).await
    }
}

/// Returns a running node.
async fn node_on(store: impl RevocationStore) -> Arc<Node> {
    let log = MemoryLog::default();
    let revocations = Revocations::of(Arc::new(store));
    revocations.begin().await;
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        devices: Some(Arc::new(MemoryDevices::default())),
        revocations,
        ..NodeParts::default()
    };
    let window = Window::from_log(&log).await;
    let node = Arc::new(Node::new(window, Arc::new(IssuedTokens), parts));
    node.run();
    node
}

async fn node() -> Arc<Node> {
    node_on(MemoryRevocations::default()).await
}

async fn authenticate(node: &Node, token: &str) -> Result<(), AuthError> {
    let credentials = Credentials::bearer(Some(token));
    node.authenticate(credentials).await.map(drop)
}

/// Connects a client that is live when this returns.
async fn connect(node: &Arc<Node>, token: &str) -> Phone {
    authenticate(node, token).await.unwrap();
    let phone = Phone::connect_as(node, identity(token).unwrap(), ConnectRequest::default());
    pass(1).await;
    phone
}

const LAST_PACKET: &str = r#"rt:end {"code":"token_revoked"} DISCONNECT"#;

#[tokio::test(start_paused = true)]
async fn sessions_of_a_user_end_and_those_of_others_go_on() {
    let node = node().await;
    let phones = [
        connect(&node, "c1 customer 1000 t1").await,
        connect(&node, "c1 admin - t2").await,
        connect(&node, "c1 customer 1001 t3").await,
        connect(&node, "c2 customer 1000 t1").await,
    ];
    let standing = node.revoke(of_user("c1", 1_000)).await.unwrap();
    assert_eq!(standing, of_user("c1", 1_000));
    pass(1).await;
    for (phone, is_ended) in phones.iter().zip([true, true, false, false]) {
        let reason = is_ended.then_some(EndReason::Revoked);
        assert_eq!(phone.session.ended_by(), reason);
        let last = phone.written().pop().unwrap();
        assert_eq!(last == LAST_PACKET, is_ended, "{last}");
    }
    for (token, expected) in [
        ("c1 customer 1000 t9", Err(AuthError::Revoked)),
        ("c1 tailor - t9", Err(AuthError::Revoked)),
        ("c1 customer 1001 t9", Ok(())),
        ("c2 customer - t9", Ok(())),
    ] {
        assert_eq!(authenticate(&node, token).await, expected, "{token}");
    }
    let stats = NodeStats::from_node(&node);
    assert_eq!((stats.ends["token_revoked"], stats.revocations), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_revocation_of_a_token_ends_the_sessions_of_that_token() {
    let node = node().await;
    let phones = [
        connect(&node, "c1 customer 1000 t1").await,
        connect(&node, "c1 customer 1000 t1").await,
        connect(&node, "c1 customer 1000 t2").await,
        connect(&node, "c1 customer 1000").await,
    ];
    node.revoke(Revocation::of_token("t1", None)).await.unwrap();
    let ended = phones.map(|phone| phone.session.ended_by().is_some());
    assert_eq!(ended, [true, true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_of_everyone_ends_all_sessions_of_older_tokens() {
    let node = node().await;
    let mut phones = Vec::new();
    for i in 0..600 {
        phones.push(connect(&node, &format!("c{i} customer {i} t")).await);
    }
    let revoked = node.revoke(Revocation::of_everyone(400)).await;
    assert_eq!(revoked.unwrap(), Revocation::of_everyone(400));
    for (i, phone) in phones.iter().enumerate() {
        assert_eq!(phone.session.ended_by().is_some(), i <= 400, "{i}");
    }
    assert_eq!(node.registry().len(), 199);
}

/// The race: the client was authenticated before the revocation, and registers after it.
#[tokio::test(start_paused = true)]
async fn a_client_that_registers_after_its_token_was_revoked_is_refused() {
    let node = node().await;
    let token = "c1 customer 1000 t1";
    authenticate(&node, token).await.unwrap();
    node.revoke(of_user("c1", 1_000)).await.unwrap();
    let before = BeforeStart::new(ConnectRequest::default(), Some(node.window().head()));
    let who = identity(token).unwrap();
    let phase = Phase::NotBegun(before);
    let session = Session::new(&node, who, None, phase, Arc::new(SilentPort));
    assert!(node.register(&Arc::new(session)).is_err());
    assert_eq!(node.registry().len(), 0);
}

/// Clients register on other threads while their tokens are revoked: none may stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_slips_through_while_its_token_is_revoked() {
    let node = node().await;
    for round in 0..200 {
        let user = format!("c{round}");
        let token = format!("{user} customer 1000 t");
        let mut arriving = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let node = Arc::clone(&node);
            let token = token.clone();
            arriving.spawn(async move {
                let who = identity(&token).unwrap();
                let request = ConnectRequest::default();
                let before = BeforeStart::new(request, Some(node.window().head()));
                let phase = Phase::NotBegun(before);
                let session = Session::new(&node, who, None, phase, Arc::new(SilentPort));
                node.register(&Arc::new(session)).ok();
            });
        }
        let revoking = Arc::clone(&node);
        arriving.spawn(async move {
            revoking.revoke(of_user(&user, 1_000)).await.unwrap();
        });
        while let Some(ended) = arriving.join_next().await {
            ended.unwrap();
        }
        assert_eq!(node.registry().len(), 0, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_judged_by_its_present_token() {
    let node = node().await;
    let phone = connect(&node, "c1 customer 1000 t1").await;
    let answer = refresh(&phone, "c1 customer 2000 t2").await;
    assert!(answer.contains("ok"), "{answer}");
    node.revoke(Revocation::of_token("t1", None)).await.unwrap();
    node.revoke(of_user("c1", 1_500)).await.unwrap();
    assert_eq!(phone.session.ended_by(), None);
    node.revoke(Revocation::of_token("t2", None)).await.unwrap();
    assert_eq!(phone.session.ended_by(), Some(EndReason::Revoked));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_refused_by_a_refresh_and_the_session_stays() {
    let node = node().await;
    let phone = connect(&node, "c1 customer 2000 t1").await;
    node.revoke(of_user("c1", 1_000)).await.unwrap();
    let answer = refresh(&phone, "c1 customer 1000 t2").await;
    assert_eq!(answer, r#"{"status":"error","code":"token_revoked"}"#);
    assert_eq!(phone.session.ended_by(), None);
    let stats = NodeStats::from_node(&node);
    assert_eq!(stats.refreshes_refused["token_revoked"], 1);
}

/// The race: the token was accepted before the revocation, and becomes the session's after it.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_revoked_during_the_refresh_ends_the_session() {
    let store = MemoryRevocations::default();
    let node = node_on(store).await;
    let phone = connect(&node, "c1 customer 1000 t1").await;
    // The refresh waits until the device record is stored, and the revocation overtakes it there.
    phone.emit("rt:refresh", json!({ "token": "c1 customer 2000 t2" }));
    tokio::task::yield_now().await;
    node.revoke(Revocation::of_token("t2", None)).await.unwrap();
    pass(10_000).await;
    let reason = phone.session.ended_by();
    let answer = format!("{:?}", phone.acks());
    assert!(
        reason == Some(EndReason::Revoked) || answer.contains("token_revoked"),
        "{reason:?} {answer}"
    );
}

/// A client in `hold`, and one that has not begun: they have no rooms of orders, and no cursor.
#[tokio::test(start_paused = true)]
async fn a_session_that_has_not_begun_ends_too() {
    let node = node().await;
    for (phase, user) in [
        (Phase::NotBegun as fn(BeforeStart) -> Phase, "c1"),
        (Phase::AwaitingResume, "c2"),
    ] {
        let before = BeforeStart::new(ConnectRequest::default(), Some(node.window().head()));
        let who = identity(&format!("{user} customer 1000 t1")).unwrap();
        let session = Session::new(&node, who, None, phase(before), Arc::new(SilentPort));
        let session = Arc::new(session);
        assert!(node.register(&session).is_ok());
        node.revoke(of_user(user, 1_000)).await.unwrap();
        assert_eq!(session.ended_by(), Some(EndReason::Revoked));
    }
}

#[tokio::test(start_paused = true)]
async fn other_nodes_end_the_sessions_within_a_second() {
    let store = MemoryRevocations::shared();
    let nodes = [node_on(store.clone()).await, node_on(store).await];
    let phone = connect(&nodes[1], "c1 customer 1000 t1").await;
    nodes[0].revoke(of_user("c1", 1_000)).await.unwrap();
    assert_eq!(phone.session.ended_by(), None);
    pass(1_001).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Revoked));
    let token = "c1 customer 1000 t1";
    assert_eq!(
        authenticate(&nodes[1], token).await,
        Err(AuthError::Revoked)
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_read_revocations_lets_nobody_in_after_5_s() {
    let store = Failing::shared();
    let node = node_on(store.clone()).await;
    let phone = connect(&node, "c1 customer 1000 t1").await;
    node.revoke(of_user("c2", 1_000)).await.unwrap();
    pass(500).await;
    store.set_down(true);
    pass(4_000).await;
    assert_eq!(authenticate(&node, "c1 customer 1000 t1").await, Ok(()));
    pass(2_000).await;
    let token = "c1 customer 1000 t1";
    assert_eq!(
        authenticate(&node, token).await,
        Err(AuthError::Unavailable)
    );
    // A token that the node knows as revoked is still refused as revoked.
    let token = "c2 customer 1000 t1";
    assert_eq!(authenticate(&node, token).await, Err(AuthError::Revoked));
    assert!(node.revoke(of_user("c3", 1_000)).await.is_err());
    let answer = refresh(&phone, "c1 customer 2000 t1").await;
    assert!(answer.contains("unavailable"), "{answer}");
    pass(100_000).await;
    assert_eq!(phone.session.ended_by(), None);
    assert!(NodeStats::from_node(&node).revocations_age > 100);
    store.set_down(false);
    pass(1_500).await;
    assert_eq!(authenticate(&node, "c1 customer 1000 t1").await, Ok(()));
    assert!(NodeStats::from_node(&node).revocations_age <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_without_its_store_lets_nobody_in_until_it_was_read() {
    for store in [
        Failing::shared(),
        Failing::over(MemoryRevocations::default()),
    ] {
        store.store.put(of_user("c1", 1_000)).await.unwrap();
        store.set_down(true);
        let node = node_on(store.clone()).await;
        for token in ["c1 customer 1000 t1", "c2 customer 1000 t1"] {
            assert_eq!(
                authenticate(&node, token).await,
                Err(AuthError::Unavailable)
            );
        }
        store.set_down(false);
        pass(1_500).await;
        let token = "c1 customer 1000 t1";
        assert_eq!(authenticate(&node, token).await, Err(AuthError::Revoked));
        assert_eq!(authenticate(&node, "c2 customer 1000 t1").await, Ok(()));
    }
}

/// A store that one node uses is read once: it may be down later.
#[tokio::test(start_paused = true)]
async fn a_store_of_one_node_is_not_polled() {
    let store = Failing::over(MemoryRevocations::default());
    let node = node_on(store.clone()).await;
    store.set_down(true);
    pass(100_000).await;
    assert_eq!(authenticate(&node, "c1 customer 1000 t1").await, Ok(()));
    assert_eq!(NodeStats::from_node(&node).revocations_age, 0);
}

/// A revocation that another node has put while this one could not read.
#[tokio::test(start_paused = true)]
async fn what_was_missed_ends_sessions_when_the_store_is_back() {
    let store = Failing::shared();
    let node = node_on(store.clone()).await;
    let phone = connect(&node, "c1 customer 1000 t1").await;
    store.set_down(true);
    pass(20_000).await;
    store.store.put(of_user("c1", 1_000)).await.unwrap();
    pass(20_000).await;
    assert_eq!(phone.session.ended_by(), None);
    store.set_down(false);
    pass(1_500).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Revoked));
}

#[tokio::test(start_paused = true)]
async fn the_task_that_reads_revocations_ends_with_the_node() {
    let node = node_on(Failing::shared()).await;
    pass(3_000).await;
    node.stopping().cancel();
    node.tasks().close();
    node.tasks().wait().await;
}
