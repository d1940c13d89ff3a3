//! MongoDB fails under traffic: no acknowledged write is lost, writes are refused during the
//! outage, live sessions stay, and the nodes continue without a restart.

use std::time::Duration;

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::cluster::{Nodes, Redis, ReplicaSet};
use metaia_tests::fixtures::{emit, order_body};
use serde_json::json;
use tokio::time::timeout;

use super::fleet::Fleet;

/// A time that is longer than a node keeps its sessions if it is the only one without MongoDB.
const LONG_OUTAGE: Duration = Duration::from_secs(33);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mongod_killed_paused_and_stepped_down_loses_nothing() {
    let (mut set, redis) = tokio::join!(ReplicaSet::start(1), Redis::start());
    let fleet = Fleet::start(Nodes::start(2, &set.uri("metaia"), Some(&redis)).await).await;
    fleet.run_for(Duration::from_secs(1)).await;

    fleet.note_outage("mongod is killed");
    set.kill().await;
    fleet.run_for(Duration::from_secs(3)).await;
    set.run().await;
    fleet.heal().await;

    fleet.note_outage("mongod is paused");
    set.pause().await;
    fleet.run_for(Duration::from_secs(7)).await;
    set.resume().await;
    fleet.heal().await;

    fleet.note_outage("the primary steps down");
    set.step_down(2).await;
    set.primary().await;
    fleet.heal().await;
    assert!(fleet.unknown_outcomes() > 0, "writes were tried meanwhile");
    assert_eq!(fleet.lost_connections(), 0, "live sessions stay");
    assert_eq!(
        fleet.judge("one mongod").await,
        0,
        "an outage is no reason to reset a client"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_primary_of_three_is_killed_and_steps_down_and_nothing_is_lost() {
    let (mut set, redis) = tokio::join!(ReplicaSet::start(3), Redis::start());
    let fleet = Fleet::start(Nodes::start(2, &set.uri("metaia"), Some(&redis)).await).await;
    fleet.run_for(Duration::from_secs(1)).await;

    fleet.note_outage("the primary is killed");
    let primary = set.primary().await;
    set.member_mut(primary).kill().await;
    set.primary().await;
    fleet.heal().await;
    set.run().await;

    fleet.note_outage("the primary steps down");
    set.step_down(3).await;
    set.primary().await;
    fleet.heal().await;

    fleet.note_outage("the primary is paused");
    let primary = set.primary().await;
    set.member(primary).pause().await;
    fleet.run_for(Duration::from_secs(6)).await;
    set.member(primary).resume().await;
    set.primary().await;
    fleet.heal().await;
    assert_eq!(
        fleet.judge("three mongods").await,
        0,
        "an election is no reason to reset a client"
    );
}

#[tokio::test]
async fn writes_are_refused_while_mongodb_is_gone_and_no_client_is_disconnected() {
    let (mut set, redis) = tokio::join!(ReplicaSet::start(1), Redis::start());
    let nodes = Nodes::start(2, &set.uri("metaia"), Some(&redis)).await;
    nodes.ready().await;
    let mut phones = Vec::new();
    for node in 0..2 {
        phones.push(Phone::ready_as(&nodes[node], "customer", "c1").await);
    }
    set.kill().await;
    for node in nodes.running() {
        let answer = node
            .api("customer", "c1")
            .post("/api/orders", &order_body())
            .await;
        answer.refused(503);
        eventually("the node not to be ready", async || {
            (node.anonymous().get("/readyz").await.status == 503).then_some(())
        })
        .await;
        node.anonymous().get("/livez").await.ok(200);
    }
    // Both phones are read at the same time, so that they answer heartbeats.
    let (one, other) = phones.split_at_mut(1);
    let staying = async |phone: &mut Phone| timeout(LONG_OUTAGE, phone.next_or_end()).await;
    let (one, other) = tokio::join!(staying(&mut one[0]), staying(&mut other[0]));
    assert!(
        one.is_err() && other.is_err(),
        "no event arrives, and no client is disconnected: {one:?} {other:?}"
    );
    set.run().await;
    nodes.ready().await;
    emit(&nodes[0], &json!({"user": "c1"}), "load", &json!({})).await;
    for phone in &mut phones {
        phone.event("load").await;
    }
}
