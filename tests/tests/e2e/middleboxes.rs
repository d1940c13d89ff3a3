//! WebSockets that fail on the way. The official client begins with polling and tries to upgrade:
//! whatever becomes of that, it keeps its one connection, and nothing is lost or late for ever.

use std::time::Duration;

use metaia_tests::clients::driver::Driver;
use metaia_tests::faults::middlebox::{Middlebox, WebSocketFault};
use metaia_tests::fixtures::emit;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::Server;
use serde_json::json;

const FAULTS: [(&str, WebSocketFault); 7] = [
    ("refused", WebSocketFault::Refused),
    ("stripped", WebSocketFault::Stripped),
    ("reset", WebSocketFault::Reset),
    ("closed", WebSocketFault::ClosedAfterAnswer),
    ("mute", WebSocketFault::ClientsFramesLost),
    ("deaf", WebSocketFault::ServersFramesLost),
    ("late", WebSocketFault::Late(Duration::from_secs(1))),
];

const ROUNDS: usize = 20;

/// Checks that each client's calls are answered and that it gets every event, as often as asked.
async fn exchange(server: &Server, driver: &mut Driver, before: usize) {
    for (name, _) in FAULTS {
        for n in before..before + ROUNDS {
            emit(server, &json!({"user": name}), "load", &json!({"n": n})).await;
            let order = json!(format!("o{n}"));
            driver.emit(name, "leave_order_room", &order).await;
        }
        let answer = driver.call(name, "leave_order_room", &json!("last")).await;
        assert_eq!(answer["status"], "ok", "{name}");
        let last = driver.nth(name, "load", before + ROUNDS).await;
        assert_eq!(last["n"], before + ROUNDS - 1, "{name}");
        assert_eq!(driver.count(name, "load"), before + ROUNDS, "{name}");
    }
}

#[tokio::test]
async fn a_websocket_that_fails_costs_the_client_nothing() {
    let server = Server::start().await;
    let mut driver = Driver::node();
    let mut boxes = Vec::new();
    for (name, fault) in FAULTS {
        let middlebox = Middlebox::before(&server, fault).await;
        driver
            .connect(name, &middlebox, &token("customer", name))
            .await;
        boxes.push((name, middlebox));
    }
    for (name, _) in FAULTS {
        driver.event(name, "rt:ready").await;
    }
    exchange(&server, &mut driver, 0).await;
    for (name, middlebox) in &boxes {
        if *name != "late" {
            middlebox.websocket_ended().await;
        }
    }
    driver.event("late", "upgrade").await;
    // The server has given up the WebSockets that were silent, and nothing else.
    exchange(&server, &mut driver, ROUNDS).await;
    for (name, _) in FAULTS {
        assert_eq!(driver.count(name, "connect"), 1, "{name}");
        assert_eq!(driver.count(name, "disconnect"), 0, "{name}");
        let upgraded = driver.count(name, "upgrade");
        assert_eq!(upgraded, usize::from(name == "late"), "{name}");
    }
    let connected = server.output_lines();
    let connected = connected
        .iter()
        .filter(|line| line.contains("User connected: "));
    assert_eq!(connected.count(), FAULTS.len());
}
