//! Clients that connect, are refused, or leave while they move.

use std::{sync::Arc, time::Duration};

use metaia_realtime::{Role, testing::TestServer};
use tokio_util::task::TaskTracker;

use super::{echo, is_empty, server};
use crate::support::{limits, poller::Poller, tick, user};

#[tokio::test]
async fn a_client_may_connect_after_its_upgrade() {
    let server = server().await;
    let token = server.token(Role::Customer, "c1");
    let mut websocket = Poller::open(&server).await.upgrade(&server).await;
    websocket.send("40{\"token\":\"wrong\"}").await;
    websocket.until("44{").await;
    websocket.send(format!("40{{\"token\":\"{token}\"}}")).await;
    websocket.until("42[\"rt:ready\"").await;
    tick(server.realtime(), user("c1"), 1).await;
    websocket.until("42[\"tick\"").await;
    drop(websocket);
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn the_token_of_the_handshake_goes_along() {
    let server = server().await;
    let token = server.token(Role::Customer, "c1");
    let header = format!("Authorization: Bearer {token}\r\n");
    let poller = Poller::open_with(&server, &header).await;
    let mut websocket = poller.upgrade(&server).await;
    websocket.send("40").await;
    websocket.until("42[\"rt:ready\"").await;
}

#[tokio::test]
async fn a_client_that_waits_for_the_answer_to_its_connect_gets_it_over_the_websocket() {
    let server = server().await;
    let poller = Poller::open(&server).await;
    let token = server.token(Role::Customer, "c1");
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    poller
        .post(&server, &format!("40{{\"token\":\"{token}\"}}"))
        .await;
    websocket.send_at_once(&["5", &echo(0)]).await;
    websocket.until("40{").await;
    websocket.until("430[0]").await;
}

#[tokio::test]
async fn a_client_that_never_connects_is_ended_after_its_upgrade_too() {
    let few = limits(|limits| limits.unauthenticated = Duration::from_secs(1));
    let server = TestServer::start(|builder| builder.limits(few)).await;
    let mut websocket = Poller::open(&server).await.upgrade(&server).await;
    let end = tokio::time::timeout(Duration::from_secs(5), websocket.rest());
    assert_eq!(end.await.unwrap(), Vec::<String>::new());
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn refusals_go_on_counting() {
    let few = limits(|limits| limits.refused_connects = 2);
    let server = TestServer::start(|builder| builder.limits(few)).await;
    let poller = Poller::open(&server).await;
    poller.post(&server, "40{\"token\":\"wrong\"}").await;
    poller.receive_until(&server, "44{").await;
    let mut websocket = poller.upgrade(&server).await;
    websocket.send("40{\"token\":\"wrong\"}").await;
    let rest = websocket.rest().await;
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].starts_with("44{"));
}

/// The refusal comes in the moment in which the clients move.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_refused_in_that_moment_are_told_so() {
    let server = Arc::new(server().await);
    let tasks = TaskTracker::new();
    let clients: Vec<_> = (0..200)
        .map(|_| tasks.spawn(refused_while_it_switches(Arc::clone(&server))))
        .collect();
    for client in clients {
        client.await.unwrap();
    }
}

async fn refused_while_it_switches(server: Arc<TestServer>) {
    let poller = Poller::open(&server).await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    let connect = "40{\"token\":\"wrong\"}";
    let (posted, ()) = tokio::join!(poller.post(&server, connect), websocket.send("5"));
    if posted.status == 200 {
        websocket.until("44{").await;
    }
    // Otherwise it came behind the switch.
}

#[tokio::test]
async fn a_client_that_has_left_may_come_back_over_the_websocket() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    poller.post(&server, "41").await;
    let mut websocket = poller.upgrade(&server).await;
    let token = server.token(Role::Customer, "c1");
    for i in 1..=2 {
        websocket.send(format!("40{{\"token\":\"{token}\"}}")).await;
        websocket.until("42[\"rt:ready\"").await;
        tick(server.realtime(), user("c1"), i).await;
        websocket.until("42[\"tick\"").await;
        websocket.send("41").await;
    }
}
