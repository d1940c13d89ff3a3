//! Tests of the fixtures themselves, without a METAIA server.

use mongodb::bson::doc;

use super::{Database, Mongod, Net, Redis, ReplicaSet};

#[tokio::test]
async fn a_replica_set_of_one_is_killed_paused_and_steps_down() {
    let mut set = ReplicaSet::start(1).await;
    set.member(0)
        .command(doc! { "create": "kept" })
        .await
        .unwrap();
    set.kill().await;
    assert_eq!(set.member(0).ask("hello").await, None);
    set.run().await;
    let again = set
        .member(0)
        .command(doc! { "create": "kept" })
        .await
        .unwrap_err();
    assert!(again.contains("exists"), "its data outlive it: {again}");
    set.pause().await;
    set.resume().await;
    set.step_down(1).await;
    assert_eq!(set.primary().await, 0);
}

#[tokio::test]
async fn three_nodes_elect_another_primary() {
    let mut set = ReplicaSet::start(3).await;
    let first = set.primary().await;
    set.member_mut(first).kill().await;
    assert_ne!(set.primary().await, first);
    set.run().await;
}

#[tokio::test]
async fn databases_share_a_server_and_have_their_own_names() {
    let one = Database::new().await;
    let other = Database::new().await;
    let address = |uri: &str| uri.split('/').nth(2).map(str::to_owned);
    assert_eq!(address(&one.uri()), address(&other.uri()));
    assert_ne!(one.uri(), other.uri());
}

#[tokio::test]
async fn a_standalone_server_has_no_replica_set() {
    let hello = Mongod::standalone().await.ask("hello").await.unwrap();
    assert!(!hello.contains_key("setName"), "{hello}");
}

#[tokio::test]
async fn redis_has_a_password_and_no_persistence() {
    let mut redis = Redis::start_on(crate::server::host::Host::local(), Some("opensesame")).await;
    redis.command("SET a b").await.unwrap();
    redis.flush_all().await;
    let count = redis.command("DBSIZE").await.unwrap();
    assert!(count.contains(":0"), "{count}");
    redis.restart().await;
    redis.pause().await;
    assert_eq!(redis.command("PING").await, None);
    redis.resume().await;
    redis.kill().await;
    assert!(redis.url().starts_with("redis://:opensesame@127.0.0.1:"));
}

#[tokio::test]
async fn a_cut_link_drops_packets_and_the_others_work() {
    let Some(net) = Net::new(2) else { return };
    let [one, other] = [0, 1].map(|index| net.host(index));
    let redis = Redis::start_on(one.clone(), None).await;
    let (host, port) = redis
        .url()
        .trim_start_matches("redis://")
        .trim_end_matches('/')
        .split_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .unwrap();
    let reached_from_other = async || {
        let script = format!("exec 3<>/dev/tcp/{host}/{port}");
        let mut command = other.command("timeout");
        command.args(["1", "bash", "-c", &script]);
        command
            .stderr(std::process::Stdio::null())
            .status()
            .await
            .unwrap()
            .code()
    };
    assert_eq!(reached_from_other().await, Some(0));
    net.cut_from(&other, &one);
    assert_eq!(
        reached_from_other().await,
        Some(124),
        "packets disappear: the connection attempt runs into its timeout"
    );
    assert!(
        redis.command("PING").await.is_some(),
        "this machine still reaches it"
    );
    net.heal(&one, &other);
    assert_eq!(reached_from_other().await, Some(0));
    net.cut(&one, &other);
    assert_eq!(reached_from_other().await, Some(124));
}
