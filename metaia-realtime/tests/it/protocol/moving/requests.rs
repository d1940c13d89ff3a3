//! Requests that a client sends while it switches, and after that.

use metaia_realtime::{Role, testing::within};

use super::{is_empty, server};
use crate::support::{
    poller::Poller,
    raw_socket::{RawSocket, http},
    tick, user,
};

#[tokio::test]
async fn requests_behind_the_switch_are_refused_and_change_nothing() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    websocket.send("5").await;
    tick(server.realtime(), user("c1"), 1).await;
    websocket.until("42[\"tick\"").await;
    for body in ["1", "42[\"echo\",1]"] {
        assert_eq!(poller.post(&server, body).await.status, 400);
    }
    assert_eq!(poller.get(&server).await.status, 400);
    websocket.send("5").await;
    tick(server.realtime(), user("c1"), 2).await;
    websocket.until("42[\"tick\"").await;
    drop(websocket);
    is_empty(server.realtime()).await;
    let gone = http(&server, &format!("GET {}", poller.path()), "", "").await;
    assert_eq!(gone.status, 400);
    assert!(gone.body.contains("Session ID unknown"), "{}", gone.body);
}

/// A client that polls on while it switches: it may lose its session, but not an event unnoticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_polls_while_it_switches_misses_nothing_unnoticed() {
    let server = server().await;
    for round in 0..20 {
        let name = format!("c{round}");
        let poller = Poller::connect_until_ready(&server, Role::Customer, &name).await;
        let mut websocket = poller.open_websocket().await;
        websocket.send("2probe").await;
        websocket.until("3probe").await;
        let polling = async { poller.get(&server).await.body };
        let switching = async {
            websocket.send("5").await;
            for i in 1..=5 {
                tick(server.realtime(), user(&name), i).await;
            }
        };
        let (polled, ()) = within("both", async { tokio::join!(polling, switching) }).await;
        tick(server.realtime(), user(&name), 6).await;
        let last = last_tick(&mut websocket).await;
        assert!(last.is_none_or(|ticks| ticks + count_ticks(&polled) == 6));
    }
}

fn count_ticks(body: &str) -> usize {
    body.matches("42[\"tick\"").count()
}

/// Returns how many ticks came up to the last one, or `None` if the connection has ended before.
async fn last_tick(websocket: &mut RawSocket) -> Option<usize> {
    let mut ticks = 0;
    loop {
        let packet = websocket.next().await?;
        ticks += count_ticks(&packet);
        if packet.starts_with("42[\"tick\",{\"i\":6,") {
            return Some(ticks);
        }
    }
}
