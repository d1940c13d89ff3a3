//! Events that a client sends all at once, and beyond its rates.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::phone::{CountingPolicy, Phone, RATE_LIMITED, node_with};
use crate::{
    AccessDecision, AccessError, Identity, OrderAccess, OrderId, Role,
    node::Node,
    session::{ConnectRequest, EndReason},
};

const JOIN: &str = "join_order_room";
const LEAVE: &str = "leave_order_room";
const INVALID: &str = r#"{"status":"error","code":"invalid_order_id"}"#;

/// A node whose sessions may be in more rooms than a test joins.
fn node() -> Arc<Node> {
    node_with(CountingPolicy::default(), 1_000)
}

fn order(index: usize) -> Value {
    json!(format!("o{index}"))
}

/// Returns how many acks are `answer`.
fn count(acks: &[(i64, String)], answer: &str) -> usize {
    acks.iter().filter(|(_, ack)| ack == answer).count()
}

#[track_caller]
fn check_all_ok_and_in_order(acks: &[(i64, String)], expected: i64) {
    let ids: Vec<i64> = acks.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, (1..=expected).collect::<Vec<_>>());
    for (id, ack) in acks {
        assert!(ack.starts_with(r#"{"status":"ok""#), "{id}: {ack}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_joins_128_rooms_at_once_gets_128_acks_in_order() {
    let phone = Phone::connect(&node(), "c1");
    for index in 0..128 {
        phone.emit(JOIN, order(index));
    }
    check_all_ok_and_in_order(&phone.wait_for_acks(128).await, 128);
    assert_eq!(phone.session.ended_by(), None);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_leaves_128_rooms_at_once_gets_128_acks_in_order() {
    let phone = Phone::connect(&node(), "c1");
    for index in 0..128 {
        phone.emit(LEAVE, order(index));
    }
    check_all_ok_and_in_order(&phone.wait_for_acks(128).await, 128);
}

#[tokio::test(start_paused = true)]
async fn joins_leaves_and_other_events_are_answered_in_order() {
    let phone = Phone::connect(&node(), "c1");
    for index in 0..64 {
        phone.emit(JOIN, order(index));
        phone.emit(LEAVE, json!({ "orderId": order(index) }));
        if index < 40 {
            phone.emit_without_ack("unknown", json!({}));
        }
    }
    check_all_ok_and_in_order(&phone.wait_for_acks(128).await, 128);
    let errors = phone.written().join("\n").matches("rt:error").count();
    assert_eq!(errors, 40, "each unknown event is refused as such");
    assert!(!phone.written().join("\n").contains("rate_limited"));
}

#[tokio::test(start_paused = true)]
async fn the_129th_join_at_once_is_refused_and_the_usual_rate_follows() {
    let phone = Phone::connect(&node(), "c1");
    for index in 0..129 {
        phone.emit(JOIN, order(index));
    }
    let acks = phone.wait_for_acks(129).await;
    assert_eq!(count(&acks, RATE_LIMITED), 1);
    assert!(acks.contains(&(129, RATE_LIMITED.to_owned())));
    sleep(Duration::from_secs(1)).await;
    for index in 0..40 {
        phone.emit(LEAVE, order(index));
    }
    let acks = phone.wait_for_acks(169).await;
    assert_eq!(count(&acks, RATE_LIMITED), 21, "20 more in a second");
    assert_eq!(phone.session.ended_by(), None);
}

/// Returns a join whose argument has `bytes`.
fn join_of(bytes: usize) -> Value {
    let unpadded = json!({ "orderId": "o1", "pad": "" }).to_string().len();
    json!({ "orderId": "o1", "pad": "x".repeat(bytes - unpadded) })
}

#[tokio::test(start_paused = true)]
async fn a_join_of_1_kib_is_taken_and_one_byte_more_is_refused() {
    let phone = Phone::connect(&node(), "c1");
    phone.emit(JOIN, join_of(1_024));
    phone.emit(LEAVE, join_of(1_024));
    phone.emit(JOIN, join_of(1_025));
    phone.emit(LEAVE, join_of(1_025));
    phone.emit_without_ack(JOIN, join_of(60_000));
    let acks = phone.wait_for_acks(4).await;
    assert_eq!(count(&acks, INVALID), 2, "{acks:?}");
    let refused: Vec<i64> = acks
        .iter()
        .filter(|(_, ack)| ack == INVALID)
        .map(|(id, _)| *id)
        .collect();
    assert_eq!(refused, [3, 4]);
    let error = r#"rt:error {"event":"join_order_room","code":"invalid_order_id","ref":null}"#;
    assert!(phone.written().contains(&error.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn two_thousand_events_at_once_are_all_answered_and_the_session_stays() {
    let phone = Phone::connect(&node(), "c1");
    for _ in 0..2_000 {
        phone.emit("unknown", json!({}));
    }
    let acks = phone.wait_for_acks(2_000).await;
    assert_eq!(count(&acks, RATE_LIMITED), 1_960);
    let mut ids: Vec<i64> = acks.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=2_000).collect::<Vec<_>>(), "each once");
    assert_eq!(phone.session.ended_by(), None);
    sleep(Duration::from_secs(1)).await;
    phone.emit(JOIN, order(1));
    let acks = phone.wait_for_acks(2_001).await;
    assert!(acks[2_000].1.starts_with(r#"{"status":"ok""#));
}

#[tokio::test(start_paused = true)]
async fn two_thousand_events_without_acks_are_all_answered_too() {
    let phone = Phone::connect(&node(), "c1");
    for _ in 0..2_000 {
        phone.emit_without_ack("unknown", json!({}));
    }
    phone.emit(JOIN, order(1));
    phone.wait_for_acks(1).await;
    sleep(Duration::from_secs(1)).await;
    let written = phone.written();
    let refused = r#"rt:error {"event":"unknown","code":"rate_limited","ref":null}"#;
    let count = written.iter().filter(|packet| *packet == refused).count();
    assert_eq!(count, 1_960);
}

#[tokio::test(start_paused = true)]
async fn the_events_that_wait_have_256_kib_at_most() {
    let node = node_with(SlowPolicy, 1_000);
    let phone = Phone::connect(&node, "c1");
    phone.emit(JOIN, order(1));
    // The first event is being handled, and waits no more.
    sleep(Duration::from_millis(10)).await;
    for _ in 0..10 {
        phone.emit("unknown", json!("x".repeat(60_000)));
    }
    let acks = phone.wait_for_acks(11).await;
    assert_eq!(count(&acks, RATE_LIMITED), 6, "four of 60,000 bytes fit");
    assert_eq!(phone.session.ended_by(), None);
}

/// Takes 100 ms for each decision.
struct SlowPolicy;

impl OrderAccess for SlowPolicy {
    async fn may_join(&self, _: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        sleep(Duration::from_millis(100)).await;
        Ok(AccessDecision::Allowed)
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_policy_delays_the_acks_and_refuses_none() {
    let phone = Phone::connect(&node_with(SlowPolicy, 1_000), "c1");
    let began = Instant::now();
    for index in 0..128 {
        phone.emit(JOIN, order(index));
    }
    check_all_ok_and_in_order(&phone.wait_for_acks(128).await, 128);
    assert_eq!(began.elapsed().as_millis() / 100, 128);
}

/// Emits `per_tick` events in each 10 ms for `time`. Returns after how long the session ended.
async fn flood(phone: &Phone, per_tick: usize, time: Duration) -> Option<Duration> {
    let began = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    while began.elapsed() < time {
        ticks.tick().await;
        for _ in 0..per_tick {
            phone.emit("unknown", json!({}));
        }
        if phone.session.ended_by().is_some() {
            return Some(began.elapsed());
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_client_that_floods_for_5_s_is_told_and_ended() {
    let node = node();
    let phone = Phone::connect(&node, "c1");
    let ended = flood(&phone, 10, Duration::from_secs(20)).await.unwrap();
    assert_eq!(ended.as_secs(), 5, "{ended:?}");
    assert_eq!(phone.session.ended_by(), Some(EndReason::RateLimited));
    phone.wait_for_end(&node).await;
    let written = phone.written();
    assert_eq!(written.last().unwrap(), r#"rt:end {"code":"rate_limited"}"#);
    phone.emit(JOIN, order(1));
    assert_eq!(phone.written().len(), written.len(), "nothing follows");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pauses_stays_however_much_it_sends() {
    let phone = Phone::connect(&node(), "c1");
    for _ in 0..20 {
        let ended = flood(&phone, 10, Duration::from_secs(4)).await;
        assert_eq!(ended, None);
        sleep(Duration::from_millis(600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_has_256_decisions_at_once_in_all_sessions() {
    let policy = CountingPolicy::default();
    let node = node_with(policy.clone(), 1_000);
    let phones: Vec<Phone> = (0..3).map(|_| Phone::connect(&node, "c1")).collect();
    let other = Phone::connect(&node, "c2");
    for phone in phones.iter().chain([&other]) {
        for index in 0..128 {
            phone.emit(JOIN, order(index));
        }
    }
    let mut refused = 0;
    for phone in &phones {
        refused += count(&phone.wait_for_acks(128).await, RATE_LIMITED);
        assert_eq!(phone.session.ended_by(), None);
    }
    assert_eq!(refused, 128);
    check_all_ok_and_in_order(&other.wait_for_acks(128).await, 128);
    assert_eq!(policy.asked(), 256 + 128);
    sleep(Duration::from_secs(1)).await;
    for index in 0..20 {
        phones[0].emit(JOIN, order(index));
        phones[1].emit(JOIN, order(index));
        phones[2].emit(JOIN, order(index));
    }
    let mut refused = 0;
    for phone in &phones {
        let acks = phone.wait_for_acks(148).await;
        refused += count(&acks[128..], RATE_LIMITED);
    }
    assert_eq!(refused, 10, "50 more in a second");
}

/// Clients that reconnect need all of their rooms.
#[tokio::test(start_paused = true)]
async fn the_rooms_of_a_connect_wait_for_the_budget() {
    let policy = CountingPolicy::default();
    let node = node_with(policy.clone(), 1_000);
    let began = Instant::now();
    let connect = || {
        let request = ConnectRequest {
            orders: (0..128)
                .map(|n| Ok(format!("o{n}").parse().unwrap()))
                .collect(),
            ..ConnectRequest::default()
        };
        let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
        Phone::connect_as(&node, identity, request)
    };
    let phones: Vec<Phone> = (0..4).map(|_| connect()).collect();
    for phone in &phones {
        phone.emit("unknown", json!({}));
        phone.wait_for_acks(1).await;
        assert_eq!(phone.session.rooms().len(), 128 + 3);
    }
    assert_eq!(policy.asked(), 4 * 128);
    let waited = began.elapsed().as_millis();
    assert!((5_000..5_500).contains(&waited), "256 at 50/s: {waited} ms");
}
