//! Phones that read nothing, or slowly, lose no event and do not affect other clients.

use futures_util::{StreamExt, stream};
use metaia_tests::clients::crowd::Crowd;
use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::faults::forwarder::Forwarder;
use metaia_tests::faults::kernel::{resident_kib, send_queue};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{raise_fence, up_to_fence};
use metaia_tests::server::{API_KEY, Listening, Server, Setup};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// The number of events of 8 KiB. Together they exceed the kernel's buffers of one connection.
const EVENTS: u64 = 1_500;

async fn flood(server: &Server) {
    let backend = server.anonymous().header("x-api-key", API_KEY);
    let text = "x".repeat(8 * 1024);
    let sending = stream::iter(0..EVENTS).map(|n| {
        let body =
            json!({"to": {"role": "customer"}, "event": "tick", "data": {"n": n, "text": text}});
        let backend = backend.clone();
        async move { backend.post("/api/realtime/emit", &body).await.ok(202) }
    });
    sending.buffer_unordered(16).collect::<Vec<()>>().await;
    raise_fence(server).await;
}

/// Checks that all events arrive before the fence, once each and in the log's order.
async fn assert_complete(phone: &mut Phone) {
    let events = up_to_fence(phone).await;
    let number = |at: &str| {
        at.rsplit_once('.')
            .and_then(|(_, n)| n.parse::<u64>().ok())
            .expect("a position")
    };
    let positions: Vec<_> = events.iter().map(|event| number(event.at())).collect();
    assert!(
        positions.is_sorted_by(|a, b| a < b),
        "in order: {positions:?}"
    );
    assert_eq!(
        sorted(numbers(&events, "tick")),
        (0..EVENTS).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_phone_that_does_not_read_loses_nothing_and_affects_no_other() {
    let server = Server::start().await;
    let slow = Phone::ready_as(&server, "customer", "slow").await;
    let mut good = Phone::ready_as(&server, "customer", "good").await;
    tokio::join!(flood(&server), assert_complete(&mut good));
    // The slow phone starts to read only now. The log keeps what was not sent to it yet.
    let events = read_with_reconnects(&server, slow, "slow", "tick", EVENTS).await;
    assert_eq!(
        sorted(numbers(&events, "tick")),
        (0..EVENTS).collect::<Vec<_>>()
    );
}

const KIB: u64 = 1024;
const CROWD: usize = 1_000;
/// The number of events for all phones.
const NEWS: u64 = 60;
/// The number of further events of 4 KiB for the frozen and for the slow phone: 4 MB, and about 20
/// s at 8 KiB/s with the other events.
const FOR_FROZEN: u64 = 1_000;
const FOR_SLOW: u64 = 30;

/// Emits events of this size with numbers from 0.
async fn emit_all(server: &Server, to: Value, event: &str, count: u64, size: usize) {
    let backend = server.anonymous().header("x-api-key", API_KEY);
    for n in 0..count {
        let body = json!({"to": to, "event": event, "data": {"n": n, "text": "x".repeat(size)}});
        backend.post("/api/realtime/emit", &body).await.ok(202);
    }
}

fn auth(user: &str, since: &Value) -> Value {
    json!({"token": token("customer", user), "since": since})
}

/// Returns the numbers of the events with this name.
fn numbers(events: &[Event], name: &str) -> Vec<u64> {
    events
        .iter()
        .filter(|event| event.name == name)
        .map(|event| event.data["n"].as_u64().unwrap())
        .collect()
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

/// Reads, and reconnects whenever the connection ends, until `count` events with this name have
/// arrived. Returns all events.
async fn read_with_reconnects(
    server: &impl Listening,
    mut phone: Phone,
    user: &str,
    name: &str,
    count: u64,
) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    while (numbers(&events, name).len() as u64) < count {
        match phone.next_or_end().await {
            Some(event) => events.push(event),
            None => {
                let last = events
                    .iter()
                    .rfind(|event| !event.at().is_empty())
                    .expect("a position to resume from");
                phone = Phone::connected(server, &auth(user, &json!(last.at()))).await;
            }
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_and_a_slow_phone_among_a_thousand_good_ones() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "handshakes_per_s=100000")
        .start()
        .await;
    let crowd = Crowd::connect(&server, CROWD, "news", NEWS as usize).await;
    let frozen = Forwarder::to(&server).await;
    let slow = Forwarder::to(&server).await;
    let mut lost = Phone::connected(&frozen, &auth("frozen", &Value::Null)).await;
    let since = lost.event("rt:ready").await["_rt"]["at"].clone();
    let slow_phone = Phone::ready_with(&slow, &auth("slow", &Value::Null)).await;
    let before = resident_kib(server.pid());
    frozen.freeze();
    slow.slow_down(8 * KIB);

    let mut reading = JoinSet::new();
    reading.spawn(async move {
        read_with_reconnects(&slow, slow_phone, "slow", "for_slow", FOR_SLOW).await
    });
    tokio::join!(
        emit_all(
            &server,
            json!({"user": "frozen"}),
            "for_frozen",
            FOR_FROZEN,
            4_000
        ),
        emit_all(
            &server,
            json!({"user": "slow"}),
            "for_slow",
            FOR_SLOW,
            4_000
        ),
        emit_all(&server, json!({"role": "customer"}), "news", NEWS, 400),
    );
    let queued =
        send_queue(server.port(), frozen.latest_port()).expect("the frozen client's connection");
    assert!(
        queued > 0 && queued <= 64 * KIB,
        "{queued} bytes wait in the kernel for the frozen client"
    );
    let grown = resident_kib(server.pid()).saturating_sub(before);
    assert!(grown <= 48 * KIB, "the server grew by {grown} KiB");
    for numbers in crowd.numbers().await {
        assert_eq!(
            numbers,
            (0..NEWS).collect::<Vec<_>>(),
            "the good clients receive everything, in order"
        );
    }

    server
        .wait_for_output("User disconnected: frozen (customer) slow_consumer")
        .await;
    frozen.up();
    let mut back = Phone::connected(&server, &auth("frozen", &since)).await;
    let missed = back.until("rt:ready").await;
    assert_eq!(missed.last().unwrap().data["recovered"], true);
    assert_eq!(
        numbers(&missed, "for_frozen"),
        (0..FOR_FROZEN).collect::<Vec<_>>()
    );
    assert_eq!(numbers(&missed, "news"), (0..NEWS).collect::<Vec<_>>());
    let slow_ones = reading.join_all().await;
    assert_eq!(
        numbers(&slow_ones[0], "for_slow"),
        (0..FOR_SLOW).collect::<Vec<_>>()
    );
}
