//! A Redis that is down, frozen, refuses the password, or is no Redis.

use std::{
    io::Write as _,
    net::TcpListener,
    time::{Duration, Instant},
};

use metaia_realtime::{
    Role,
    doorbell::RedisDoorbell,
    testing::{TestServer, eventually, within},
};
use serde_json::json;

use super::{cluster, default_cluster, process::RedisServer};
use crate::support::{captured_log::CapturedLog, tick, ticks, user};

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
    // Not earlier: a node that connects again only after this was never refused.
    let is_refused = || log.contains("the doorbell is refused");
    eventually("a node to be refused", is_refused).await;
    set(&mut admin, "hush-1").await;
    cluster.arrives(1).await;
    cluster.works(2).await;
    let lines = log.text();
    assert!(!lines.contains("hush"), "{lines}");
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
