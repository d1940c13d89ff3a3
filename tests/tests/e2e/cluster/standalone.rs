//! MongoDB without a replica set has no transactions. It is accepted for development, and loses
//! nothing either.

use std::time::Duration;

use metaia_tests::faults::cluster::{Mongod, Nodes};

use super::fleet::Fleet;

#[tokio::test]
async fn a_standalone_server_is_reported_as_for_development() {
    let mongod = Mongod::standalone().await;
    let nodes = Nodes::start(1, &mongod.uri("metaia"), None).await;
    nodes.ready().await;
    let answer = nodes[0].anonymous().get("/readyz").await;
    assert!(answer.text.contains("development"), "{answer:#?}");
    nodes[0].wait_for_output("development").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_killed_on_a_standalone_server_lose_nothing() {
    let mut mongod = Mongod::standalone().await;
    let mut fleet = Fleet::start(Nodes::start(2, &mongod.uri("metaia"), None).await).await;
    for kill in 0..4 {
        let node = kill % 2;
        fleet.run_for(Duration::from_millis(500)).await;
        fleet.note_slowdown(&format!("kill -9 of node {node}"));
        fleet.nodes.kill(node).await;
        fleet.run_for(Duration::from_millis(500)).await;
        fleet.nodes.restart(node).await;
        fleet.nodes[node].ready().await;
    }
    fleet.heal().await;
    fleet.note_outage("mongod is killed");
    mongod.kill().await;
    fleet.run_for(Duration::from_secs(1)).await;
    mongod.run().await;
    fleet.heal().await;
    assert_eq!(
        fleet.judge("standalone").await,
        0,
        "a kill is no reason to reset a client"
    );
}
