//! Full queues, duplicates, dropped updates.

use super::*;

#[tokio::test]
async fn a_slow_application_loses_nothing() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, mut updates) = client(&server)
            .transport(transport)
            .buffer(1)
            .connect()
            .await
            .unwrap();
        client.emit("flood", 500).await.unwrap();
        for n in 1..=500 {
            assert_eq!(event(&mut updates, "number").await["n"], n, "{transport:?}");
        }
    }
}

#[tokio::test]
async fn events_go_out_while_the_queue_is_full() {
    let server = Server::start().await;
    let (client, mut updates) = client(&server).buffer(1).connect().await.unwrap();
    client.emit("flood", 3).await.unwrap();
    within("the second emit", say(&client, "last", json!(true))).await;
    event(&mut updates, "last").await;
}

#[tokio::test]
async fn duplicates_are_dropped_if_configured() {
    let server = Server::start().await;
    let (client, mut updates) = client(&server).dedupe(8).connect().await.unwrap();
    for n in [1, 1, 2] {
        say(&client, "number", stamped(n)).await;
    }
    assert_eq!(event(&mut updates, "number").await["n"], 1);
    assert_eq!(event(&mut updates, "number").await["n"], 2);
}

#[tokio::test]
async fn dropped_updates_end_the_client() {
    let server = Server::start().await;
    let (client, updates) = client(&server).connect().await.unwrap();
    drop(updates);
    within("the end of the task", async {
        while client.emit("echo", 1).await.is_ok() {}
    })
    .await;
}
