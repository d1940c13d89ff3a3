//! An older copy of the database is restored: a new epoch begins, and clients that have seen more
//! are reset.

use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::cluster::{Nodes, Redis, ReplicaSet};
use metaia_tests::fixtures::emit;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::Server;
use serde_json::json;

async fn send(server: &Server, n: u64) {
    emit(server, &json!("everyone"), "load", &json!({"n": n})).await;
}

#[tokio::test]
async fn a_restore_resets_clients_that_have_seen_more() {
    let (mut set, redis) = tokio::join!(ReplicaSet::start(1), Redis::start());
    let nodes = Nodes::start(2, &set.uri("metaia"), Some(&redis)).await;
    nodes.ready().await;
    send(&nodes[0], 1).await;
    set.member_mut(0).back_up().await;
    set.primary().await;
    nodes.ready().await;

    let mut stays = Phone::ready_as(&nodes[0], "customer", "c1").await;
    let mut leaves = Phone::ready_as(&nodes[1], "customer", "c2").await;
    send(&nodes[1], 2).await;
    let seen = leaves.until("load").await.pop().unwrap().at().to_owned();
    assert_eq!(stays.event("load").await["n"], 2);
    leaves.drop_connection();

    set.member_mut(0).restore().await;
    set.primary().await;
    nodes.ready().await;
    for n in 3..6 {
        send(&nodes[0], n).await;
    }
    let events = stays.until("rt:reset").await;
    assert_eq!(
        events.last().unwrap().data["reason"],
        "epoch_changed",
        "{events:#?}"
    );
    for node in nodes.running() {
        let auth = json!({"token": token("customer", "c2"), "since": seen});
        let mut back = Phone::connected(node, &auth).await;
        let events = back.until("rt:ready").await;
        let reset = events.iter().find(|event| event.name == "rt:reset");
        assert_eq!(
            reset.expect("a reset").data["reason"],
            "epoch_changed",
            "{events:#?}"
        );
        assert!(
            !events.iter().any(|event| event.name == "load"),
            "no event is replayed after a reset: {events:#?}"
        );
    }
    send(&nodes[1], 6).await;
    let after = stays.until("load").await;
    assert!(
        after.iter().all(|event| event.name != "rt:reset"),
        "only one reset: {after:#?}"
    );
}
