//! Two nodes with a shared log and a real Redis as the doorbell, also while Redis fails.

mod failures;
mod forged;
mod process;

use std::time::{Duration, Instant};

use metaia_realtime::{
    RealtimeBuilder, Role,
    client::{Client, Updates},
    doorbell::RedisDoorbell,
    testing::{NodeLog, SharedLog, TestServer, eventually},
};
use serde_json::json;

use crate::support::{event, tick, ticks, user};
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
