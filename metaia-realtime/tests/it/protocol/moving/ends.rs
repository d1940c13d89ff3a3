//! Sessions and connections that end in that moment.

use std::time::Duration;

use futures_util::future::join_all;
use metaia_realtime::Role;

use super::{is_empty, server};
use crate::support::{poller::Poller, raw_socket::KICKED};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_is_disconnected_in_that_moment_is_told_so_once() {
    let server = server().await;
    for round in 0..40 {
        let name = format!("c{round}");
        let poller = Poller::connect_until_ready(&server, Role::Customer, &name).await;
        let mut websocket = poller.open_websocket().await;
        websocket.send("2probe").await;
        websocket.until("3probe").await;
        let user = name.parse().unwrap();
        let switching = async {
            for _ in 0..round % 4 {
                tokio::task::yield_now().await;
            }
            websocket.send("5").await;
            websocket.rest().await
        };
        let kicking = async {
            for _ in 0..round % 3 {
                tokio::task::yield_now().await;
            }
            server.realtime().disconnect_user(&user).await.unwrap();
        };
        let (rest, ()) = tokio::join!(switching, kicking);
        assert_eq!(rest, KICKED, "round {round}");
    }
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn a_client_that_dies_behind_its_switch_leaves_nothing() {
    let server = server().await;
    let pollers = (0..10).map(|_| Poller::connect_until_ready(&server, Role::Customer, "c1"));
    for poller in join_all(pollers).await {
        drop(poller.upgrade(&server).await);
    }
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn a_drain_in_that_moment_ends_every_client() {
    let server = server().await;
    let mut websockets = Vec::new();
    for _ in 0..8 {
        let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
        websockets.push(poller.upgrade(&server).await);
    }
    server.realtime().drain(Duration::from_secs(2)).await;
    for mut websocket in websockets {
        let rest = websocket.rest().await;
        let ends = rest.iter().filter(|packet| packet.contains("rt:end"));
        assert_eq!(ends.count(), 1, "{rest:?}");
    }
    is_empty(server.realtime()).await;
}
