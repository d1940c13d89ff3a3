//! Nodes that start before the services that they depend on, or with wrong addresses.

use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::cluster::{Nodes, Redis, ReplicaSet, node};
use metaia_tests::fixtures::{emit, order_body};
use metaia_tests::server::Setup;
use metaia_tests::server::host::Host;
use serde_json::json;

#[tokio::test]
async fn a_server_that_starts_before_mongodb_becomes_ready_with_it() {
    let mut set = ReplicaSet::planned(vec![Host::local()]);
    let mut redis = Redis::planned(Host::local(), Some("a-password-of-redis"));
    let nodes = Nodes::start(2, &set.uri("metaia"), Some(&redis)).await;
    for node in nodes.running() {
        node.anonymous().get("/livez").await.ok(200);
        assert_eq!(node.anonymous().get("/readyz").await.status, 503);
        node.api("customer", "c1")
            .post("/api/orders", &order_body())
            .await
            .refused(503);
    }
    set.begin().await;
    redis.run().await;
    nodes.ready().await;
    redis.await_subscribers(2).await;
    let mut phone = Phone::ready_as(&nodes[1], "customer", "c1").await;
    emit(&nodes[0], &json!({"user": "c1"}), "load", &json!({"n": 1})).await;
    assert_eq!(phone.event("load").await["n"], 1);
}

#[tokio::test]
async fn malformed_addresses_are_named_without_their_passwords() {
    let setup = Setup::new()
        .env(
            "MONGODB_URI",
            "mongodb://metaia:hunter2hunter2@127.0.0.1:not-a-port/metaia",
        )
        .env("REDIS_URL", "rediss-//:swordfish99@127.0.0.1")
        .env("METAIA_MONGO_POOL", "many");
    let ended = setup.run_to_end().await.expect_code(2);
    for name in ["MONGODB_URI", "REDIS_URL", "METAIA_MONGO_POOL"] {
        assert!(
            ended.stderr.contains(name),
            "{name} is not named: {ended:#?}"
        );
    }
    for secret in ["hunter2hunter2", "swordfish99"] {
        assert!(
            !ended.output().contains(secret),
            "{secret} is printed: {ended:#?}"
        );
    }
    assert!(!ended.output().contains("panicked"), "{ended:#?}");
}

#[tokio::test]
async fn a_wrong_redis_password_is_reported_without_the_password() {
    let database = metaia_tests::faults::cluster::Database::new().await;
    let redis = Redis::start_on(Host::local(), Some("the-right-password")).await;
    let wrong = redis
        .url()
        .replace("the-right-password", "a-wrong-password");
    let server = node(&database.uri(), None)
        .env("REDIS_URL", &wrong)
        .start()
        .await;
    server.ready().await;
    server.wait_for_output("the doorbell is refused").await;
    emit(&server, &json!("everyone"), "load", &json!({})).await;
    let log = server.output_lines().join("\n");
    assert!(!log.contains("a-wrong-password"), "{log}");
}
