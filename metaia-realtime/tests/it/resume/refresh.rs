//! Clients that send neither a position nor a device, and that go on with another token: the server
//! recognises them by the new one.

use std::time::Duration;

use metaia_realtime::{
    RealtimeBuilder, SqliteLog,
    client::Transport,
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};

use crate::support::{
    TextTokens, limits, on_each_transport, raw_client::RawClient, text_token, tick, user,
};

on_each_transport! {
    #[tokio::test]
    with_its_new_token_a_client_receives_what_it_missed_once,
    with_its_old_token_a_client_misses_nothing,
    a_killed_server_recognises_the_new_token,
}

const HOUR_MS: i64 = 3_600_000;

fn configure(builder: RealtimeBuilder) -> RealtimeBuilder {
    let limits = limits(|limits| limits.ping_interval = Duration::from_millis(50));
    builder.limits(limits).authenticator(TextTokens)
}

async fn server() -> TestServer {
    TestServer::start(configure).await
}

/// Connects a client with this token. Returns it with the ticks before `rt:ready`, and whether it
/// was recognised.
async fn connect<'a>(
    server: &'a TestServer,
    transport: Transport,
    token: &str,
) -> (RawClient<'a>, Vec<u64>, bool) {
    let mut socket = RawClient::open(server, transport).await;
    let auth = json!({ "token": token });
    socket.send(format!("40{auth}")).await;
    let mut missed = Vec::new();
    loop {
        let packet = socket.next().await.unwrap();
        let Some(event) = packet.strip_prefix("42") else {
            continue;
        };
        let event: Value = serde_json::from_str(event).unwrap();
        match event[0].as_str() {
            Some("tick") => missed.push(event[1]["i"].as_u64().unwrap()),
            Some("rt:ready") => return (socket, missed, event[1]["recovered"] == true),
            _ => panic!("{event} came before rt:ready"),
        }
    }
}

async fn refresh(socket: &mut RawClient<'_>, token: &str) {
    let event = json!(["rt:refresh", { "token": token }]);
    socket.send(format!("427{event}")).await;
    socket.until("437[{\"status\":\"ok\"").await;
}

async fn receive(server: &TestServer, socket: &mut RawClient<'_>, i: u64) {
    tick(server.realtime(), user("c1"), i).await;
    socket.until(&format!("42[\"tick\",{{\"i\":{i}")).await;
    socket.answer_a_ping().await;
}

/// Breaks the line of a client, and sends ticks that it misses.
async fn lose_line(server: &TestServer, socket: RawClient<'_>, missed: [u64; 2]) {
    socket.vanish().await;
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    for i in missed {
        tick(server.realtime(), user("c1"), i).await;
    }
}

async fn with_its_new_token_a_client_receives_what_it_missed_once(transport: Transport) {
    let server = server().await;
    let new = text_token("c1 customer", HOUR_MS, "t2");
    let old = text_token("c1 customer", HOUR_MS, "t1");
    let (mut socket, ..) = connect(&server, transport, &old).await;
    receive(&server, &mut socket, 1).await;
    refresh(&mut socket, &new).await;
    receive(&server, &mut socket, 2).await;
    lose_line(&server, socket, [3, 4]).await;
    let (mut socket, missed, recovered) = connect(&server, transport, &new).await;
    assert_eq!((missed, recovered), (vec![3, 4], true));
    socket.answer_a_ping().await;
    lose_line(&server, socket, [5, 6]).await;
    assert_eq!(connect(&server, transport, &new).await.1, [5, 6]);
}

/// The answer to its refresh may have been lost.
async fn with_its_old_token_a_client_misses_nothing(transport: Transport) {
    let server = server().await;
    let old = text_token("c1 customer", HOUR_MS, "t1");
    let (mut socket, ..) = connect(&server, transport, &old).await;
    receive(&server, &mut socket, 1).await;
    refresh(&mut socket, &text_token("c1 customer", HOUR_MS, "t2")).await;
    lose_line(&server, socket, [2, 3]).await;
    let (_socket, missed, recovered) = connect(&server, transport, &old).await;
    assert_eq!((missed, recovered), (vec![2, 3], true));
}

/// The copy is what a server finds that is killed right after it has answered.
async fn a_killed_server_recognises_the_new_token(transport: Transport) {
    let folder = std::env::temp_dir().join(format!("refresh-{transport:?}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let log = SqliteLog::open(folder.join("log.db")).await.unwrap();
    let store = log.clone();
    let build = |builder| configure(builder).log(store.clone()).device_store(store);
    let server = TestServer::start(build).await;
    let new = text_token("c1 customer", HOUR_MS, "t2");
    let old = text_token("c1 customer", HOUR_MS, "t1");
    let (mut socket, ..) = connect(&server, transport, &old).await;
    receive(&server, &mut socket, 1).await;
    refresh(&mut socket, &new).await;
    // Nothing of the server's later work is in the records that another node finds.
    let devices = log.clone();
    let beside =
        TestServer::start(|builder| configure(builder).log(log).device_store(devices)).await;
    tick(beside.realtime(), user("c1"), 2).await;
    let (_socket, missed, recovered) = connect(&beside, transport, &new).await;
    assert_eq!((missed, recovered), (vec![2], true));
    drop(socket);
    std::fs::remove_dir_all(&folder).ok();
}
