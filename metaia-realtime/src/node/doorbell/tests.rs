//! Two nodes in one process, with paused time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use crate::doorbell::{
    frame::{Frame, FrameBody, Probe},
    log_head::LogHead,
};
use crate::{
    Identity, JwtAuthenticator, Realtime, Role, Room,
    session::{BeforeStart, EndReason, Phase, Session, SilentPort},
    testing::{NodeLog, SharedLog, Wire},
    values::{Epoch, NodeId, time},
};

const POLL: Duration = Duration::from_millis(500);

/// A node with one session, whose port does nothing.
struct OneNode {
    realtime: Realtime,
    log: NodeLog,
    session: Arc<Session>,
}

async fn node(shared: &SharedLog, wire: &Wire) -> OneNode {
    let log = shared.node(Some(POLL));
    let authenticator = JwtAuthenticator::hs256("a secret that signs nothing here").unwrap();
    let builder = Realtime::builder()
        .authenticator(authenticator)
        .log(log.clone());
    let realtime = builder.doorbell(wire.doorbell()).build().await.unwrap();
    let session = connect(&realtime).unwrap();
    OneNode {
        realtime,
        log,
        session,
    }
}

/// Returns `None` if the session is refused.
fn connect(realtime: &Realtime) -> Option<Arc<Session>> {
    let identity = Identity::new("u1".parse().unwrap(), Role::Customer);
    let node = realtime.node();
    let session = Arc::new(Session::new(
        node,
        identity,
        None,
        Phase::NotBegun(BeforeStart::default()),
        Arc::new(SilentPort),
    ));
    node.register(&session).is_ok().then_some(session)
}

async fn two() -> (OneNode, OneNode) {
    let shared = SharedLog::default();
    let wire = Wire::new();
    let nodes = (node(&shared, &wire).await, node(&shared, &wire).await);
    while wire.listening() < 2 {
        tokio::task::yield_now().await;
    }
    nodes
}

async fn append(node: &OneNode) {
    node.realtime
        .send([Room::Everyone], ("tick", json!({})))
        .await
        .unwrap();
}

/// Returns after what time the session ends; `None` if it lives for ten minutes.
async fn end_of(session: &Session) -> Option<Duration> {
    let began = Instant::now();
    tokio::time::timeout(Duration::from_secs(600), session.ended())
        .await
        .ok()
        .map(|()| began.elapsed())
}

async fn handshake(realtime: &Realtime) -> (StatusCode, String) {
    let other = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let request = Request::get("/socket.io/?EIO=4&transport=polling")
        .body(Full::default())
        .unwrap();
    let answer = realtime
        .layer()
        .layer(other)
        .oneshot(request)
        .await
        .unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test(start_paused = true)]
async fn a_node_that_alone_cannot_read_the_log_disconnects_its_clients() {
    let (here, there) = two().await;
    here.log.set_cut_off(true);
    append(&there).await;
    let after = end_of(&here.session)
        .await
        .expect("the clients are disconnected");
    assert!((20..28).contains(&after.as_secs()), "{after:?}");
    assert_eq!(here.session.ended_by(), Some(EndReason::CutOff));
    assert!(connect(&here.realtime).is_none());
    let (status, body) = handshake(&here.realtime).await;
    assert!(
        status == StatusCode::SERVICE_UNAVAILABLE && body.contains(r#""cut_off""#),
        "{status} {body}"
    );
    assert!(there.session.ended_by().is_none());

    here.log.set_cut_off(false);
    sleep(Duration::from_secs(4)).await;
    assert!(connect(&here.realtime).is_some());
    assert_eq!(handshake(&here.realtime).await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn an_append_late_in_the_outage_is_missed_for_seconds_only() {
    let (here, there) = two().await;
    here.log.set_cut_off(true);
    sleep(Duration::from_secs(300)).await;
    assert!(
        here.session.ended_by().is_none(),
        "the client misses nothing"
    );
    append(&there).await;
    let after = end_of(&here.session)
        .await
        .expect("the clients are disconnected");
    assert!(after < Duration::from_secs(6), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn clients_wait_for_a_log_that_no_node_can_read() {
    let (here, there) = two().await;
    // This node is notified of the entry, and never reads it.
    here.log.set_cut_off(true);
    append(&there).await;
    there.log.set_cut_off(true);
    assert_eq!(end_of(&here.session).await, None);
    assert!(there.session.ended_by().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_no_probe_disconnects_no_client() {
    let shared = SharedLog::default();
    let wire = Wire::new();
    let here = node(&shared, &wire).await;
    while wire.listening() < 1 {
        tokio::task::yield_now().await;
    }
    here.log.set_cut_off(true);
    for seq in 0..60 {
        sleep(Duration::from_secs(1)).await;
        let at = LogHead {
            epoch: Epoch::from_bits(1),
            n: 9,
        };
        let bodies = [
            FrameBody::ProbeAnswer(at, Probe::random()),
            FrameBody::Notify(at),
            FrameBody::Probe(at, Probe::random()),
        ];
        for (body, node) in bodies.into_iter().zip(1..) {
            let node = NodeId::from_bytes([node; 16]);
            wire.say(
                &Frame {
                    node,
                    seq,
                    ts: time::unix_ms(),
                    body,
                }
                .encode(None)
                .unwrap(),
            );
        }
    }
    assert!(here.session.ended_by().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_receives_nothing_keeps_its_clients() {
    let shared = SharedLog::default();
    let here = node(&shared, &Wire::new()).await;
    let there = node(&shared, &Wire::new()).await;
    here.log.set_cut_off(true);
    append(&there).await;
    assert_eq!(end_of(&here.session).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_volatile_event_waits_for_the_log_a_second() {
    let (here, there) = two().await;
    here.log.set_cut_off(true);
    append(&there).await;
    there
        .realtime
        .volatile()
        .broadcast(("at", json!(1)))
        .unwrap();
    sleep(Duration::from_millis(900)).await;
    assert_eq!(here.realtime.doorbell_counts().dropped, 0);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(here.realtime.doorbell_counts().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_stopped_receives_nothing() {
    let shared = SharedLog::default();
    let wire = Wire::new();
    let here = node(&shared, &wire).await;
    here.realtime.drain(Duration::from_secs(1)).await;
    assert_eq!(wire.listening(), 0);
    wire.say(b"anything");
    assert_eq!(here.realtime.doorbell_counts().unreadable, 0);
}
