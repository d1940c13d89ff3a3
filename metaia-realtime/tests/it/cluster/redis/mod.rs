//! Two nodes with a shared log and a real Redis as the doorbell, also while Redis fails.

mod process;

use std::{
    io::Write as _,
    net::TcpListener,
    time::{Duration, Instant},
};

use metaia_realtime::{
    RealtimeBuilder, Role,
    client::{Client, Updates},
    doorbell::{ClusterKey, RedisDoorbell},
    testing::{NodeLog, SharedLog, TestServer, eventually, within},
};
use serde_json::json;

use crate::support::{captured_log::CapturedLog, event, tick, ticks, user};
use process::RedisServer;

/// Two nodes, and a phone that is connected to the second.
struct Cluster {
    redis: RedisServer,
    a: TestServer,
    b: TestServer,
    log: NodeLog,
    _phone: Client,
    updates: Updates,
}

/// Starts two nodes that never poll the log: every entry of the other node arrives by a
/// notification.
async fn cluster(
    redis: RedisServer,
    configure: impl Fn(RealtimeBuilder) -> RealtimeBuilder,
) -> Cluster {
    let shared = SharedLog::default();
    let log = shared.node(None);
    let start = async |log: NodeLog| {
        let doorbell = RedisDoorbell::open(&redis.url()).unwrap();
        TestServer::start(|builder| configure(builder.log(log).doorbell(doorbell))).await
    };
    let a = start(shared.node(None)).await;
    let b = start(log.clone()).await;
    let (phone, updates) = b.client(Role::Customer, "c1").await;
    let cluster = Cluster {
        redis,
        a,
        b,
        log,
        _phone: phone,
        updates,
    };
    cluster.connected(true).await;
    cluster
}

async fn default_cluster() -> Cluster {
    cluster(RedisServer::start().await, |builder| builder).await
}

impl Cluster {
    /// Waits until both doorbells are connected, or until both are not.
    async fn connected(&self, connected: bool) {
        let what = if connected {
            "both doorbells to be connected"
        } else {
            "both doorbells to be disconnected"
        };
        let nodes = [&self.a, &self.b];
        eventually(what, || {
            nodes
                .iter()
                .all(|node| node.realtime().doorbell_connected() == connected)
        })
        .await;
    }

    async fn append(&self, i: u64) {
        tick(self.a.realtime(), user("c1"), i).await;
    }

    async fn arrives(&mut self, i: u64) {
        assert_eq!(ticks(&mut self.updates, 1).await, [i]);
    }

    /// Checks that an entry and a volatile event of the first node arrive at the phone.
    async fn works(&mut self, i: u64) {
        self.append(i).await;
        self.arrives(i).await;
        self.a
            .realtime()
            .volatile()
            .broadcast(("at", json!(i)))
            .unwrap();
        assert_eq!(event(&mut self.updates, "at").await.data, json!(i));
    }
}

#[tokio::test]
async fn notifications_and_volatile_events_reach_the_other_node() {
    let mut cluster = default_cluster().await;
    cluster.works(1).await;
    let _: () = cluster.redis.ask(&["FLUSHALL"]).await;
    cluster.works(2).await;
}

#[tokio::test]
async fn entries_appended_while_redis_was_down_are_found_after_its_return() {
    let mut cluster = default_cluster().await;
    cluster.works(1).await;
    cluster.redis.kill();
    cluster.append(2).await;
    cluster.connected(false).await;
    cluster
        .a
        .realtime()
        .volatile()
        .broadcast(("at", json!("lost")))
        .unwrap();
    cluster.append(3).await;
    cluster.redis.restart().await;
    cluster.arrives(2).await;
    cluster.arrives(3).await;
    cluster.connected(true).await;
    cluster.works(4).await;
}

#[tokio::test]
async fn a_frozen_redis_delays_no_publisher() {
    let mut cluster = default_cluster().await;
    cluster.works(1).await;
    cluster.redis.pause();
    let began = Instant::now();
    cluster.append(2).await;
    for i in 0..1_000 {
        cluster
            .a
            .realtime()
            .volatile()
            .broadcast(("at", json!(i)))
            .unwrap();
    }
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
    cluster.connected(false).await;
    cluster.redis.resume();
    cluster.arrives(2).await;
    cluster.connected(true).await;
    cluster.append(3).await;
    cluster.arrives(3).await;
}

#[tokio::test]
async fn a_broken_connection_is_restored_and_subscribed_again() {
    let mut cluster = default_cluster().await;
    for i in 0..5 {
        cluster.works(i).await;
        let _: () = cluster
            .redis
            .ask(&["CLIENT", "KILL", "TYPE", "pubsub"])
            .await;
        eventually("both to be subscribed", || {
            cluster.redis.subscribed("metaia:doorbell:0") == 2
        })
        .await;
    }
    cluster.works(5).await;
}

#[tokio::test]
async fn a_wrong_password_is_retried_and_never_logged() {
    let log = CapturedLog::start();
    let mut cluster = cluster(RedisServer::start_with(Some("hush-1")).await, |builder| {
        builder
    })
    .await;
    let mut admin = cluster.redis.client().await;
    let set = async |admin: &mut _, password: &str| {
        let mut command = redis::cmd("CONFIG");
        command
            .arg("SET")
            .arg("requirepass")
            .arg(password)
            .exec_async(admin)
            .await
            .unwrap();
    };
    set(&mut admin, "hush-2").await;
    redis::cmd("CLIENT")
        .arg("KILL")
        .arg("TYPE")
        .arg("pubsub")
        .exec_async(&mut admin)
        .await
        .unwrap();
    cluster.connected(false).await;
    cluster.append(1).await;
    set(&mut admin, "hush-1").await;
    cluster.arrives(1).await;
    cluster.works(2).await;
    let lines = log.text();
    assert!(
        lines.contains("the doorbell is refused") && !lines.contains("hush"),
        "{lines}"
    );
}

#[tokio::test]
async fn an_unreachable_redis_is_logged_once() {
    let log = CapturedLog::start();
    let mut redis = RedisServer::start().await;
    redis.kill();
    let doorbell = RedisDoorbell::open(&redis.url()).unwrap();
    let node = TestServer::start(|builder| builder.doorbell(doorbell)).await;
    let (_phone, mut updates) = node.client(Role::Customer, "c1").await;
    for i in 0..50 {
        tick(node.realtime(), user("c1"), i).await;
        node.realtime()
            .volatile()
            .broadcast(("at", json!(i)))
            .unwrap();
    }
    assert_eq!(ticks(&mut updates, 50).await, (0..50).collect::<Vec<_>>());
    eventually("the log line", || {
        log.contains("the doorbell cannot be reached")
    })
    .await;
    redis.restart().await;
    eventually("the doorbell", || node.realtime().doorbell_connected()).await;
    let lines = log.text();
    assert_eq!(
        lines.matches("the doorbell cannot be reached").count(),
        1,
        "{lines}"
    );
    assert_eq!(
        lines.matches("the doorbell is connected").count(),
        1,
        "{lines}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_redis_is_retried() {
    let log = CapturedLog::start();
    let impostor = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", impostor.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in impostor.incoming().take(2) {
            let _ = connection
                .unwrap()
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let doorbell = RedisDoorbell::open(&url).unwrap();
    let node = TestServer::start(|builder| builder.doorbell(doorbell)).await;
    eventually("the log line", || log.contains("the doorbell")).await;
    assert!(!node.realtime().doorbell_connected());
    within("the node to stop", node.stop()).await;
}

#[tokio::test]
async fn tls_with_a_server_without_tls_is_retried() {
    let log = CapturedLog::start();
    let redis = RedisServer::start().await;
    let doorbell = RedisDoorbell::open(&redis.url().replace("redis://", "rediss://")).unwrap();
    let node = TestServer::start(|builder| builder.doorbell(doorbell)).await;
    eventually("the log line", || {
        log.contains("the doorbell cannot be reached")
    })
    .await;
    within("the node to stop", node.stop()).await;
}

async fn publish(redis: &RedisServer, frames: impl IntoIterator<Item = Vec<u8>>) {
    let mut client = redis.client().await;
    let mut pipe = redis::pipe();
    for frame in frames {
        pipe.cmd("PUBLISH")
            .arg("metaia:doorbell:0")
            .arg(frame)
            .ignore();
    }
    within("the frames to be published", pipe.exec_async(&mut client))
        .await
        .unwrap();
}

/// Returns an unsigned notification of a node that does not exist: see `doorbell/frame/`.
fn forged(n: u64) -> Vec<u8> {
    let head = [b'M', b'B', 1, 0, 0];
    let node = [7; 16];
    let seq = [0; 8];
    let ts = [0; 8];
    let epoch = [0; 8];
    [&head[..], &node, &seq, &ts, &epoch, &n.to_be_bytes()].concat()
}

#[tokio::test]
async fn ten_thousand_forged_notifications_cost_few_log_reads() {
    let mut cluster = default_cluster().await;
    cluster.works(1).await;
    let began = Instant::now();
    let looks_before = cluster.log.looks();
    let received = cluster.b.realtime().doorbell_counts().received;
    for chunk in 0..10 {
        let frames = (0..1_000).map(|i| forged(chunk * 1_000 + i));
        publish(&cluster.redis, frames).await;
    }
    let all = received + 10_000;
    eventually("all frames to be received", || {
        cluster.b.realtime().doorbell_counts().received >= all
    })
    .await;
    // One read per 100 ms, and one that waits.
    let allowed = began.elapsed().as_millis() / 100 + 2;
    let looks = cluster.log.looks() - looks_before;
    assert!(
        u128::from(looks) <= allowed,
        "{looks} reads of the log, {allowed} are allowed"
    );
    cluster.works(2).await;
}

#[tokio::test]
async fn with_a_key_unsigned_frames_are_dropped() {
    let key = ClusterKey::new("sixteen bytes or more").unwrap();
    let configure = |builder: RealtimeBuilder| builder.cluster_key(key.clone());
    let mut cluster = cluster(RedisServer::start().await, configure).await;
    cluster.works(1).await;
    let looks = cluster.log.looks();
    let garbage = [vec![], b"hello".to_vec(), vec![0xff; 300_000], forged(99)];
    publish(&cluster.redis, garbage).await;
    eventually("the frames to be dropped", || {
        let counts = cluster.b.realtime().doorbell_counts();
        counts.unreadable == 3 && counts.unsigned == 1
    })
    .await;
    assert_eq!(cluster.log.looks(), looks);
    cluster.works(2).await;
}

/// Not a benchmark: it checks the order of magnitude, also on a busy machine.
#[tokio::test]
async fn a_notification_takes_milliseconds() {
    let mut cluster = default_cluster().await;
    let mut took = Vec::new();
    for i in 0..100 {
        let began = Instant::now();
        cluster.append(i).await;
        cluster.arrives(i).await;
        took.push(began.elapsed());
    }
    took.sort();
    println!(
        "append on one node to client of the other: median {:?}, slowest {:?}",
        took[50], took[99]
    );
    assert!(took[50] < Duration::from_millis(20), "{:?}", took[50]);
}
