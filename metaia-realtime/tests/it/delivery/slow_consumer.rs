//! A client that reads late.

use metaia_realtime::{Role, Room, client::Transport, testing::TestServer};
use serde_json::json;

use crate::support::{connect, number, on_each_transport, raw_client::RawClient, ticks};

on_each_transport! {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    a_slow_client_loses_nothing_and_delays_no_other_client,
}

const EVENTS: u64 = 3_000;

async fn a_slow_client_loses_nothing_and_delays_no_other_client(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut slow =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "slow"), json!({}))
            .await;
    let (_fast, mut updates) = connect(&server, transport, Role::Customer, "fast").await;
    let text = "x".repeat(1_000);
    let publish = async {
        let mut most_waiting = 0;
        for i in 0..EVENTS {
            let tick = ("tick", json!({ "i": i, "text": text }));
            server
                .realtime()
                .send([Room::Role(Role::Customer)], tick)
                .await
                .unwrap();
            most_waiting = most_waiting.max(server.realtime().census().most_waiting);
        }
        most_waiting
    };
    let (most_waiting, fast) = tokio::join!(publish, ticks(&mut updates, EVENTS as usize));
    assert!(
        most_waiting <= 256,
        "{most_waiting} packets waited for one client"
    );
    assert_eq!(fast, (0..EVENTS).collect::<Vec<_>>());
    for i in 0..EVENTS {
        let packet = slow.until("42[\"tick\",").await;
        let data = packet
            .strip_prefix("42[\"tick\",")
            .unwrap()
            .strip_suffix(']')
            .unwrap();
        assert_eq!(number(&serde_json::from_str(data).unwrap()), i);
    }
}
