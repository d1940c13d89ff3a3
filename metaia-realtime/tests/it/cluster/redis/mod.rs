//! Two nodes over one log, with a real Redis between them, and what becomes of it.

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

use crate::{event, support::captured_log::Logs, tick, ticks, user};
use process::RedisServer;

/// Two nodes, and a phone at the second.
struct Cluster {
    redis: RedisServer,
    a: TestServer,
    b: TestServer,
    log: NodeLog,
    _phone: Client,
    updates: Updates,
}

/// Nobody polls: what arrives was rung for.
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
    let (a, b) = (start(shared.node(None)).await, start(log.clone()).await);
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

async fn two() -> Cluster {
    cluster(RedisServer::start().await, |builder| builder).await
}

impl Cluster {
    async fn connected(&self, connected: bool) {
        eventually(
            if connected {
                "the doorbell"
            } else {
                "the doorbell's end"
            },
            || {
                [&self.a, &self.b]
                    .iter()
                    .all(|node| node.realtime().doorbell_connected() == connected)
            },
        )
        .await;
    }

    async fn append(&self, i: u64) {
        tick(self.a.realtime(), user("c1"), i).await;
    }

    async fn arrives(&mut self, i: u64) {
        assert_eq!(ticks(&mut self.updates, 1).await, [i]);
    }

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
async fn rings_and_volatile_events_cross() {
    let mut cluster = two().await;
    cluster.works(1).await;
    let _: () = cluster.redis.ask(&["FLUSHALL"]).await;
    cluster.works(2).await;
}

#[tokio::test]
async fn what_was_appended_while_redis_was_dead_is_found_when_it_is_back() {
    let mut cluster = two().await;
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
async fn a_redis_that_stands_still_delays_nobody() {
    let mut cluster = two().await;
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
    cluster.redis.go_on();
    cluster.arrives(2).await;
    cluster.connected(true).await;
    cluster.append(3).await;
    cluster.arrives(3).await;
}

#[tokio::test]
async fn a_broken_connection_is_made_and_subscribed_again() {
    let mut cluster = two().await;
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
async fn a_password_that_is_wrong_for_a_while_is_tried_again_and_not_told() {
    let logs = Logs::listen();
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
    let lines = logs.all();
    assert!(
        lines.contains("the doorbell is refused") && !lines.contains("hush"),
        "{lines}"
    );
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_said_once() {
    let logs = Logs::listen();
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
    eventually("it to be said", || {
        logs.say("the doorbell cannot be reached")
    })
    .await;
    redis.restart().await;
    eventually("the doorbell", || node.realtime().doorbell_connected()).await;
    let lines = logs.all();
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
async fn who_is_no_redis_is_tried_again() {
    let logs = Logs::listen();
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", stranger.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in stranger.incoming().take(2) {
            let _ = connection
                .unwrap()
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let doorbell = RedisDoorbell::open(&url).unwrap();
    let node = TestServer::start(|builder| builder.doorbell(doorbell)).await;
    eventually("it to be said", || logs.say("the doorbell")).await;
    assert!(!node.realtime().doorbell_connected());
    within("the node's end", node.stop()).await;
}

#[tokio::test]
async fn tls_with_who_has_none_is_tried_again() {
    let logs = Logs::listen();
    let redis = RedisServer::start().await;
    let doorbell = RedisDoorbell::open(&redis.url().replace("redis://", "rediss://")).unwrap();
    let node = TestServer::start(|builder| builder.doorbell(doorbell)).await;
    eventually("it to be said", || {
        logs.say("the doorbell cannot be reached")
    })
    .await;
    within("the node's end", node.stop()).await;
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

/// An unsigned ring of a node that is none: see `doorbell/frame.rs`.
fn forged(n: u64) -> Vec<u8> {
    let (head, node, seq, ts, epoch) = ([b'M', b'B', 1, 0, 0], [7; 16], [0; 8], [0; 8], [0; 8]);
    [&head[..], &node, &seq, &ts, &epoch, &n.to_be_bytes()].concat()
}

#[tokio::test]
async fn ten_thousand_forged_rings_cost_few_looks() {
    let mut cluster = two().await;
    cluster.works(1).await;
    let (began, before) = (Instant::now(), cluster.log.looks());
    let heard = cluster.b.realtime().doorbell_counts().received;
    for chunk in 0..10 {
        publish(
            &cluster.redis,
            (0..1_000).map(|i| forged(chunk * 1_000 + i)),
        )
        .await;
    }
    let all = heard + 10_000;
    eventually("them to be heard", || {
        cluster.b.realtime().doorbell_counts().received >= all
    })
    .await;
    let allowed = began.elapsed().as_millis() / 100 + 2;
    let looks = cluster.log.looks() - before;
    assert!(
        u128::from(looks) <= allowed,
        "{looks} looks, {allowed} are allowed"
    );
    cluster.works(2).await;
}

#[tokio::test]
async fn with_a_key_strangers_are_not_heard() {
    let key = ClusterKey::new("sixteen bytes or more").unwrap();
    let configure = |builder: RealtimeBuilder| builder.cluster_key(key.clone());
    let mut cluster = cluster(RedisServer::start().await, configure).await;
    cluster.works(1).await;
    let looks = cluster.log.looks();
    let garbage = [vec![], b"hello".to_vec(), vec![0xff; 300_000], forged(99)];
    publish(&cluster.redis, garbage).await;
    eventually("them to be dropped", || {
        let counts = cluster.b.realtime().doorbell_counts();
        (counts.unreadable, counts.unsigned) == (3, 1)
    })
    .await;
    assert_eq!(cluster.log.looks(), looks);
    cluster.works(2).await;
}

/// Not a benchmark: that it is milliseconds, also where others use the machine.
#[tokio::test]
async fn a_ring_takes_milliseconds() {
    let mut cluster = two().await;
    let mut took = Vec::new();
    for i in 0..100 {
        let began = Instant::now();
        cluster.append(i).await;
        cluster.arrives(i).await;
        took.push(began.elapsed());
    }
    took.sort();
    println!(
        "append here to client there: median {:?}, slowest {:?}",
        took[50], took[99]
    );
    assert!(took[50] < Duration::from_millis(20), "{:?}", took[50]);
}
