//! Nodes that are killed under traffic.

use std::time::Duration;

use metaia_tests::faults::cluster::{Database, Nodes, Redis};
use metaia_tests::fixtures::seeded_rng::SeededRng;

use super::fleet::Fleet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_and_their_clients_move_over() {
    let (mut rng, seed) = SeededRng::random();
    let (database, redis) = tokio::join!(Database::new(), Redis::start());
    let mut fleet = Fleet::start(Nodes::start(2, &database.uri(), Some(&redis)).await).await;
    for kill in 0..6 {
        fleet
            .run_for(Duration::from_millis(100 + rng.below(900)))
            .await;
        let node = kill % 2;
        fleet.note_slowdown(&format!("kill -9 of node {node}"));
        fleet.nodes.kill(node).await;
        fleet
            .run_for(Duration::from_millis(100 + rng.below(900)))
            .await;
        fleet.nodes.restart(node).await;
        fleet.nodes[node].ready().await;
        if kill % 3 == 2 {
            fleet.heal().await;
        }
    }
    // A transaction that a killed node leaves open would block the writes of all other nodes for a
    // minute.
    let silence = fleet.longest_silence();
    assert!(
        silence < Duration::from_secs(10),
        "no write was answered for {silence:?}"
    );
    assert_eq!(
        fleet.judge(&format!("seed {seed}")).await,
        0,
        "a kill is no reason to reset a client"
    );
}
