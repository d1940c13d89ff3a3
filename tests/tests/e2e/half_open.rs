//! A phone whose network disappears without a notification to either side. The server detects it
//! when a write stalls for too long. If there is little to write, the heartbeat detects it.

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::network::Network;
use metaia_tests::fixtures::emit;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::Setup;
use serde_json::json;

/// The number of events of 4 KiB. Together they exceed what the kernel buffers for one connection.
const EVENTS: i64 = 500;

#[tokio::test]
async fn a_half_open_phone_is_detected_and_loses_nothing() {
    let Some(network) = Network::new() else {
        return;
    };
    let server = Setup::new().env("METAIA_HOST", "0.0.0.0").start().await;
    let auth = json!({"token": token("customer", "c1"), "device": "d1"});
    let mut driver = Driver::node_in(&network);
    let opts = json!({"auth": auth, "transports": ["websocket"]});
    driver
        .connect_with("phone", &network.seen_from_inside(&server), &opts)
        .await;
    driver.event("phone", "rt:ready").await;

    network.vanish();
    let mut other = Phone::ready_as(&server, "customer", "c1").await;
    for n in 0..EVENTS {
        emit(
            &server,
            &json!({"user": "c1"}),
            "load",
            &json!({"n": n, "text": "x".repeat(4_000)}),
        )
        .await;
    }
    for n in 0..EVENTS {
        assert_eq!(
            other.event("load").await["n"],
            n,
            "the same user's other phone receives everything"
        );
    }
    server
        .wait_for_output("User disconnected: c1 (customer) slow_consumer")
        .await;

    let mut back = Phone::connected(&server, &auth).await;
    let events = back.until("rt:ready").await;
    assert_eq!(events.last().unwrap().data["recovered"], true);
    let loads = events.iter().filter(|event| event.name == "load");
    assert_eq!(
        loads
            .map(|event| event.data["n"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        (0..EVENTS).collect::<Vec<_>>()
    );
}
