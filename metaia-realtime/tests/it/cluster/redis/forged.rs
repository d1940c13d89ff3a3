//! Frames that no node of the cluster has sent.

use std::time::Instant;

use metaia_realtime::{
    RealtimeBuilder,
    doorbell::ClusterKey,
    testing::{eventually, within},
};

use super::{cluster, default_cluster, process::RedisServer};

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
