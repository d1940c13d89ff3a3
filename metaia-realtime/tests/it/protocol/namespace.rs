//! CONNECT and DISCONNECT of the namespace, and what comes right behind them.

use std::{sync::Arc, time::Duration};

use metaia_realtime::{
    Authenticator, Identity, Role,
    auth::{AuthError, Credentials},
    client::Transport,
    testing::{TestServer, eventually, within},
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{
    Anyone, captured_log::CapturedLog, limits, on_each_transport, poller::Poller,
    raw_client::RawClient, raw_socket::RawSocket, tick, user,
};

on_each_transport! {
    #[tokio::test]
    an_event_right_behind_connect_waits_for_the_answer,
    an_event_behind_a_refused_connect_is_dropped_and_the_client_may_try_again,
    two_connects_behind_a_refused_one_are_one_more_try,
    a_client_that_left_may_come_back_over_the_same_transport,
    connecting_twice_and_leaving_at_once_confuse_nobody,
    a_client_that_left_and_does_not_come_back_loses_its_transport,
    connecting_again_takes_of_the_rate_of_handshakes,
    a_client_that_comes_back_in_time_has_as_long_again_for_its_answer;
    // A client that polls sends its pong when its POST was answered.
    not over polling: pongs_pass_what_waits_for_the_answer,
    // A POST is refused: see `a_packet_that_the_engine_refuses_ends_a_polling_session`.
    an_event_without_connect_ends_the_connection,
}

fn connect(server: &TestServer, user: &str) -> String {
    format!(
        "40{}",
        json!({ "token": server.token(Role::Customer, user) })
    )
}

async fn an_event_right_behind_connect_waits_for_the_answer(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket
        .send_at_once(&[&connect(&server, "c1"), r#"421["leave_order_room","o1"]"#])
        .await;
    assert!(socket.next().await.unwrap().starts_with("40{"));
    assert!(socket.until("431").await.contains("ok"));
}

async fn an_event_behind_a_refused_connect_is_dropped_and_the_client_may_try_again(
    transport: Transport,
) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket
        .send_at_once(&["40", r#"421["leave_order_room","o1"]"#])
        .await;
    assert!(socket.next().await.unwrap().contains("unauthorized"));
    socket.send(connect(&server, "c1")).await;
    socket.until("42[\"rt:ready\"").await;
}

async fn two_connects_behind_a_refused_one_are_one_more_try(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawClient::open(&server, transport).await;
    let good = connect(&server, "c1");
    socket.send_at_once(&["40", &good, &good]).await;
    assert!(socket.next().await.unwrap().contains("unauthorized"));
    socket.until("40{").await;
    socket.until("42[\"rt:ready\"").await;
    assert_eq!(server.realtime().local_sessions().len(), 1);
    socket.send(r#"421["leave_order_room","o1"]"#).await;
    assert!(socket.until("431").await.contains("ok"));
}

async fn an_event_without_connect_ends_the_connection(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket.send(r#"421["leave_order_room","o1"]"#).await;
    assert_eq!(socket.rest().await, ["1"], "the engine's close");
}

async fn a_client_that_left_may_come_back_over_the_same_transport(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    for _ in 0..3 {
        // The new CONNECT waits until the old session is gone.
        socket.send_at_once(&["41", &connect(&server, "c1")]).await;
        socket.until("40{").await;
        socket.until("42[\"rt:ready\"").await;
    }
    assert_eq!(server.realtime().local_sessions().len(), 1);
}

/// Sends CONNECTs and DISCONNECTs without waiting: the client is a member in the end.
async fn connecting_twice_and_leaving_at_once_confuse_nobody(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    let again = connect(&server, "c1");
    for round in 0..8 {
        socket
            .send_at_once(&[&again, "41", &again, "41", &again])
            .await;
        let call = format!(r#"42{round}["leave_order_room","o1"]"#);
        socket.send(call).await;
        assert!(socket.until(&format!("43{round}")).await.contains("ok"));
    }
    eventually("one session", || {
        server.realtime().local_sessions().len() == 1
    })
    .await;
}

/// The events of the old session that the engine has yet to write are not the new session's.
#[tokio::test]
async fn what_an_earlier_session_left_unwritten_confirms_nothing() {
    let slow_pings = limits(|limits| limits.ping_interval = Duration::from_secs(3_600));
    let server = TestServer::start(|builder| builder.limits(slow_pings)).await;
    let poller = Poller::open(&server).await;
    let token = server.token(Role::Customer, "c1");
    let auth = json!({ "token": token, "device": "d1" });
    poller.post(&server, &format!("40{auth}")).await;
    poller.receive_until(&server, "42[\"rt:ready\"").await;
    for i in 0..12 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let handed_over = |count| server.realtime().stats().delivered >= count;
    eventually("the events to be handed over", || handed_over(12)).await;
    poller.post(&server, &format!("41\u{1e}40{auth}")).await;
    eventually("the new session", || {
        server.realtime().local_sessions().len() == 1
    })
    .await;
    for i in 12..20 {
        tick(server.realtime(), user("c1"), i).await;
    }
    // The client takes what the old session left, and leaves.
    let mut received = poller.receive_until(&server, "40{").await;
    poller.post(&server, "41").await;
    poller.post(&server, "1").await;
    eventually("the end", || server.realtime().local_sessions().is_empty()).await;
    let mut back =
        RawSocket::connect(&server, Role::Customer, "c1", json!({ "device": "d1" })).await;
    while let Some(packet) = back.next().await {
        let is_ready = packet.starts_with("42[\"rt:ready\"");
        received.push(packet);
        if is_ready {
            break;
        }
    }
    for i in 0..20 {
        let event = format!("42[\"tick\",{{\"i\":{i},");
        assert!(
            received.iter().any(|packet| packet.starts_with(&event)),
            "{i}: {received:?}"
        );
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_may_not_come_back_for_ever() {
    let narrow = limits(|limits| limits.window_entries = 4);
    let server = TestServer::start(|builder| builder.limits(narrow)).await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    for i in 0..50 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let since = json!({ "token": server.token(Role::Customer, "c1"), "since": "x" });
    within("the end of the transport", async {
        while poller
            .post(&server, &format!("41\u{1e}40{since}"))
            .await
            .status
            == 200
        {
            tick(server.realtime(), user("c1"), 99).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_packet_that_the_engine_refuses_ends_a_polling_session() {
    let server = TestServer::start(|builder| builder).await;
    for bad in ["6", "5", "2probe", "0", "x"] {
        let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
        let body = format!("{bad}\u{1e}41");
        assert_eq!(poller.post(&server, &body).await.status, 400, "{bad}");
        eventually("the end", || server.realtime().local_sessions().is_empty()).await;
    }
}

async fn a_client_that_left_and_does_not_come_back_loses_its_transport(transport: Transport) {
    let short = limits(|limits| limits.unauthenticated = Duration::from_millis(300));
    let server = TestServer::start(|builder| builder.limits(short)).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    socket.send("41").await;
    eventually("the session's end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    socket.rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_while_its_room_is_busy_has_left() {
    let short = limits(|limits| limits.unauthenticated = Duration::from_millis(300));
    let log = CapturedLog::start();
    let server = TestServer::start(|builder| builder.limits(short)).await;
    for _ in 0..20 {
        let mut socket =
            RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
        let publish = async {
            for i in 0..50 {
                tick(server.realtime(), user("c1"), i).await;
            }
        };
        tokio::join!(publish, socket.send("41"));
        let end = tokio::time::timeout(Duration::from_secs(4), socket.rest()).await;
        assert!(
            end.is_ok(),
            "the transport of a client that has left stays open"
        );
    }
    assert!(!log.contains("transport_lost"));
}

async fn connecting_again_takes_of_the_rate_of_handshakes(transport: Transport) {
    let few = limits(|limits| limits.handshakes_per_s = 2);
    let server = TestServer::start(|builder| builder.limits(few)).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    for _ in 0..10 {
        let again = connect(&server, "c1");
        if !(socket.try_send("41").await && socket.try_send(again).await) {
            break;
        }
    }
    let answers = socket.rest().await;
    let connected = answers
        .iter()
        .filter(|packet| packet.starts_with("40{"))
        .count();
    assert!(connected < 9, "{connected} came back at once");
    assert!(
        !answers.iter().any(|packet| packet.starts_with("44")),
        "{answers:?}"
    );
}

/// Accepts everybody as soon as the test lets it.
struct HeldAuthenticator(Arc<Semaphore>);

impl Authenticator for HeldAuthenticator {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        self.0.acquire().await.unwrap().forget();
        Anyone.authenticate(credentials).await
    }
}

async fn pongs_pass_what_waits_for_the_answer(transport: Transport) {
    let fast = limits(|limits| {
        limits.ping_interval = Duration::from_millis(20);
        limits.ping_timeout = Duration::from_millis(500);
    });
    let gate = Arc::new(Semaphore::new(0));
    let held = HeldAuthenticator(Arc::clone(&gate));
    let server = TestServer::start(|builder| builder.authenticator(held).limits(fast)).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket
        .send_at_once(&["40", r#"421["leave_order_room","o1"]"#])
        .await;
    // The next ping is sent when the last one is answered.
    for _ in 0..5 {
        socket.answer_a_ping().await;
    }
    gate.add_permits(1);
    assert!(socket.until("431").await.contains("ok"));
}

/// The time for the answer begins when the time for CONNECT ends.
async fn a_client_that_comes_back_in_time_has_as_long_again_for_its_answer(transport: Transport) {
    let away = Duration::from_secs(2);
    let short = limits(|limits| limits.unauthenticated = away);
    let gate = Arc::new(Semaphore::new(1));
    let held = HeldAuthenticator(Arc::clone(&gate));
    let server = TestServer::start(|builder| builder.authenticator(held).limits(short)).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket.send("40").await;
    socket.until("42[\"rt:ready\"").await;
    let left = tokio::time::Instant::now();
    socket.send_at_once(&["41", "40"]).await;
    eventually("the time to pass", || left.elapsed() > away * 5 / 4).await;
    gate.add_permits(1);
    socket.until("40{").await;
    socket.until("42[\"rt:ready\"").await;
}
