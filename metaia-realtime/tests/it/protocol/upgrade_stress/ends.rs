//! Sessions end while their clients upgrade: each client is told why, once, and nothing follows.

use std::time::Duration;

use futures_util::future::join_all;
use metaia_realtime::{
    Census, Realtime,
    client::Transport,
    revocation::Revocation,
    testing::{TestServer, eventually, within},
};
use serde_json::json;

use super::{Step, as_tick, customer, publish};
use crate::support::{raw_client::RawClient, raw_socket::KICKED, user};

const CLIENTS: usize = 50;

const REVOKED: [&str; 2] = [r#"42["rt:end",{"code":"token_revoked"}]"#, "41"];

const DRAIN: &str = r#"42["rt:drain""#;
const DRAINED: &str = r#"42["rt:end",{"code":"draining"}]"#;

async fn kick(realtime: &Realtime, name: &str) {
    let name = name.parse().unwrap();
    realtime.disconnect_user(&name).await.unwrap();
}

async fn connect<'a>(server: &'a TestServer, name: &str) -> RawClient<'a> {
    let who = customer(name);
    RawClient::connect_until_ready(server, Transport::Polling, who, json!({})).await
}

async fn nothing_remains(server: &TestServer) {
    eventually("nothing to remain", || {
        server.realtime().census() == Census::default()
    })
    .await;
}

/// Checks the last packets of a client that was kicked after its second tick. Those that waited
/// for it are dropped.
#[track_caller]
fn check_kicked(rest: &[String]) {
    let (ticks, end) = rest.split_at(rest.len().saturating_sub(KICKED.len()));
    assert_eq!(end, KICKED, "{rest:?}");
    let ticks: Vec<_> = ticks.iter().map(|packet| as_tick(packet)).collect();
    let all = [Some((0, 1)), Some((0, 2))];
    assert!(all.starts_with(&ticks), "{rest:?}");
}

#[tokio::test]
async fn a_kick_at_any_step_is_told_once() {
    let server = TestServer::start(|builder| builder).await;
    for step in Step::ALL {
        let mut client = connect(&server, "c1").await;
        publish(server.realtime(), user("c1"), (0, 1)).await;
        step.reach(&mut client).await;
        publish(server.realtime(), user("c1"), (0, 2)).await;
        kick(server.realtime(), "c1").await;
        publish(server.realtime(), user("c1"), (0, 3)).await;
        check_kicked(&client.rest().await);
        nothing_remains(&server).await;
    }
}

#[tokio::test]
async fn a_revocation_at_any_step_is_told_once() {
    let server = TestServer::start(|builder| builder).await;
    for (round, step) in Step::ALL.into_iter().enumerate() {
        let name = format!("c{round}");
        let mut client = connect(&server, &name).await;
        step.reach(&mut client).await;
        // The tokens of a test server are issued now: this time is later.
        let revocation = Revocation::of_user(name.parse().unwrap(), i64::MAX);
        server.realtime().revoke(revocation).await.unwrap();
        assert_eq!(client.rest().await, REVOKED, "round {round}");
        nothing_remains(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kicks_in_the_moment_of_an_upgrade_are_told_once() {
    let server = TestServer::start(|builder| builder).await;
    let names: Vec<String> = (0..CLIENTS).map(|i| format!("c{i}")).collect();
    let clients = join_all(names.iter().map(|name| connect(&server, name))).await;
    let realtime = server.realtime();
    let upgrading = clients
        .into_iter()
        .zip(&names)
        .map(async |(mut client, name)| {
            publish(realtime, user(name), (0, 1)).await;
            let (_, ()) = tokio::join!(client.try_upgrade(), kick(realtime, name));
            client.rest().await
        });
    for rest in join_all(upgrading).await {
        check_kicked(&rest);
    }
    nothing_remains(&server).await;
}

#[tokio::test]
async fn everything_before_a_drain_arrives_at_any_step_and_the_end_is_last() {
    let server = TestServer::start(|builder| builder).await;
    let realtime = server.realtime();
    let mut clients = Vec::new();
    for (i, step) in Step::ALL.into_iter().cycle().take(12).enumerate() {
        let name = format!("c{i}");
        let mut client = connect(&server, &name).await;
        step.reach(&mut client).await;
        clients.push((step, client));
        for n in 0..100 {
            publish(realtime, user(&name), (0, n)).await;
        }
    }
    let drain = within("the drain", realtime.drain(Duration::from_secs(10)));
    let receiving = clients
        .into_iter()
        .map(async |(step, mut client)| (step, client.rest().await));
    let ((), received) = tokio::join!(drain, join_all(receiving));
    for (step, rest) in received {
        let ticks = rest.iter().filter_map(|packet| as_tick(packet));
        assert!(ticks.eq((0..100).map(|n| (0, n))), "{step:?}: {rest:?}");
        let drains = rest.iter().filter(|packet| packet.starts_with(DRAIN));
        assert_eq!(drains.count(), 1, "{step:?}: {rest:?}");
        // A client that polls may come later than the end, which waits for 200 ms.
        if step == Step::Switched || rest.len() > 101 {
            assert_eq!(rest.len(), 102, "{step:?}: {rest:?}");
            assert_eq!(rest[101], DRAINED, "{step:?}");
        }
    }
    nothing_remains(&server).await;
}
