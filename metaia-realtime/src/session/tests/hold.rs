//! Rechecks that the policy cannot decide: they hold back the whole session for a time, and then
//! cost it the room.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    log::Log,
    phone::Phone,
    unreadable::{head, unreadable},
    world::{order, room},
};
use crate::{
    AccessDecision, AccessError, Identity, JwtAuthenticator, Limits, NewEntry, OrderAccess,
    OrderId, Role, Room,
    node::{Node, NodeParts, Window},
    session::ConnectRequest,
};

/// The reaction of a policy when it is asked.
pub(super) enum Answer {
    Allows,
    Denies,
    Fails,
    Hangs,
    /// Allows after 1.5 s.
    AllowsLate,
}

use Answer::{Allows, AllowsLate, Denies, Fails, Hangs};

/// A policy whose answer depends on the order and on the time since the test began, in ms.
#[derive(Clone)]
pub(super) struct TimedPolicy {
    began: Instant,
    answer: fn(&str, u128) -> Answer,
    asked: Arc<AtomicUsize>,
}

impl OrderAccess for TimedPolicy {
    async fn may_join(&self, _: &Identity, order: &OrderId) -> Result<AccessDecision, AccessError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match (self.answer)(order.as_str(), self.began.elapsed().as_millis()) {
            Allows => Ok(AccessDecision::Allowed),
            Denies => Ok(AccessDecision::Denied),
            Fails => Err(AccessError::new("the orders cannot be read")),
            Hangs => std::future::pending().await,
            AllowsLate => {
                sleep(Duration::from_millis(1_500)).await;
                Ok(AccessDecision::Allowed)
            }
        }
    }
}

/// A node, and a client in the rooms of the orders 1 to `orders`. The test's time is 1 s.
pub(super) struct Trial {
    pub(super) began: Instant,
    policy: TimedPolicy,
    pub(super) node: Arc<Node>,
    pub(super) phone: Phone,
}

impl Trial {
    pub(super) async fn new(orders: usize, answer: fn(&str, u128) -> Answer) -> Self {
        Self::with_hold(Limits::default().recheck_hold, orders, answer).await
    }

    pub(super) async fn with_hold(
        hold: Duration,
        orders: usize,
        answer: fn(&str, u128) -> Answer,
    ) -> Self {
        let began = Instant::now();
        let policy = TimedPolicy {
            began,
            answer,
            asked: Arc::default(),
        };
        let node = node(policy.clone(), hold);
        node.run();
        let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
        let request = ConnectRequest {
            orders: (1..=orders).map(|index| Ok(order(index))).collect(),
            ..ConnectRequest::default()
        };
        let phone = Phone::connect_as(&node, identity, request);
        let trial = Self {
            began,
            policy,
            node,
            phone,
        };
        trial.until(1_000).await;
        trial
    }

    /// Waits until the test has lasted for `ms`.
    pub(super) async fn until(&self, ms: u64) {
        sleep_until(self.began + Duration::from_millis(ms)).await;
    }

    pub(super) async fn append(&self, entries: Vec<NewEntry>) {
        self.node.log().append(entries).await.unwrap();
    }

    /// Appends an event of order 1, its recheck, and events of both orders and of the user.
    pub(super) async fn append_around_recheck(&self) {
        let entries = vec![
            event(room(1), 1),
            recheck(1),
            event(room(1), 2),
            event(room(2), 3),
            event(room(0), 4),
        ];
        self.append(entries).await;
    }

    /// Returns the numbers of the events that the client was written, and the rooms that it lost.
    pub(super) fn told(&self) -> Vec<String> {
        let written = self.phone.written();
        written.iter().filter_map(|packet| told(packet)).collect()
    }
}

fn node(policy: TimedPolicy, hold: Duration) -> Arc<Node> {
    let log = Log::large();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        access: Arc::new(policy),
        limits: Limits {
            recheck_hold: hold,
            ..Limits::default()
        },
        ..NodeParts::default()
    };
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let window = Window::new(head(&log));
    Arc::new(Node::new(window, Arc::new(authenticator), parts))
}

pub(super) fn event(room: Room, i: u64) -> NewEntry {
    NewEntry::event([room], ("e", json!({ "i": i }))).unwrap()
}

pub(super) fn recheck(index: usize) -> NewEntry {
    NewEntry::recheck(order(index))
}

fn told(packet: &str) -> Option<String> {
    let (name, payload) = packet.split_once(' ')?;
    let payload: Value = serde_json::from_str(payload).ok()?;
    let text = |member: &str| payload[member].as_str().unwrap_or_default().to_owned();
    match name {
        "e" => Some(payload["i"].to_string()),
        "rt:room_left" => Some(format!("{} {}", text("room"), text("reason"))),
        _ => None,
    }
}

pub(super) const LOST: &str = "order-o1 unavailable";

#[tokio::test(start_paused = true)]
async fn an_undecided_recheck_holds_back_the_whole_session_for_5_s_and_then_costs_the_room() {
    let fails = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Fails };
    let hangs = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Hangs };
    for answer in [fails, hangs] {
        let trial = Trial::new(2, answer).await;
        trial.append_around_recheck().await;
        trial.until(5_900).await;
        assert_eq!(trial.told(), ["1"]);
        trial.until(6_100).await;
        assert_eq!(trial.told(), ["1", LOST, "3", "4"]);
        trial
            .append(vec![event(room(1), 5), event(room(2), 6)])
            .await;
        trial.until(6_200).await;
        assert_eq!(trial.told()[4..], ["6"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_decides_before_that_costs_nothing() {
    let answer = |_: &str, ms: u128| match ms {
        1_000..5_000 => Fails,
        _ => Allows,
    };
    let trial = Trial::new(2, answer).await;
    trial.append_around_recheck().await;
    trial.until(4_900).await;
    assert_eq!(trial.told(), ["1"]);
    trial.until(5_900).await;
    assert_eq!(trial.told(), ["1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_denial_after_failures_is_a_denial() {
    let answer = |_: &str, ms: u128| match ms {
        0..1_000 => Allows,
        1_000..3_000 => Fails,
        _ => Denies,
    };
    let trial = Trial::new(2, answer).await;
    trial.append_around_recheck().await;
    trial.until(5_000).await;
    assert_eq!(trial.told(), ["1", "order-o1 access_revoked", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn the_time_is_a_limit() {
    let fails = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Fails };
    let hangs = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Hangs };
    for answer in [fails, hangs] {
        for hold in [1, 15] {
            let trial = Trial::with_hold(Duration::from_secs(hold), 2, answer).await;
            trial.append_around_recheck().await;
            let end = 1_000 + 1_000 * hold;
            trial.until(end - 100).await;
            assert_eq!(trial.told(), ["1"]);
            trial.until(end + 100).await;
            assert_eq!(trial.told(), ["1", LOST, "3", "4"]);
        }
    }
}

/// One after the other they would take minutes.
#[tokio::test(start_paused = true)]
async fn all_rooms_of_a_session_are_decided_at_the_same_time() {
    let answer = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Hangs };
    let trial = Trial::new(20, answer).await;
    trial.append(vec![unreadable(), event(room(0), 1)]).await;
    trial.until(5_900).await;
    assert!(trial.told().is_empty());
    trial.until(6_100).await;
    let told = trial.told();
    assert_eq!(told.len(), 21);
    assert_eq!(told[20], "1");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_can_be_decided_is_not_lost_with_another() {
    let answer = |order: &str, ms: u128| match ms {
        1_000.. if order == "o1" => Hangs,
        _ => Allows,
    };
    let trial = Trial::new(2, answer).await;
    trial.append(vec![recheck(2), recheck(1)]).await;
    trial
        .append(vec![event(room(1), 1), event(room(2), 2)])
        .await;
    trial.until(5_900).await;
    assert!(trial.told().is_empty());
    trial.until(6_100).await;
    assert_eq!(trial.told(), [LOST, "2"]);
}

#[tokio::test(start_paused = true)]
async fn further_rechecks_of_the_room_do_not_prolong_the_hold() {
    let answer = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Fails };
    let trial = Trial::new(2, answer).await;
    trial.append_around_recheck().await;
    for ms in [2_000, 3_000, 4_000, 5_000] {
        trial.until(ms).await;
        trial.append(vec![recheck(1)]).await;
    }
    trial.until(6_100).await;
    assert_eq!(trial.told(), ["1", LOST, "3", "4"]);
}

/// Every 4 s a recheck of another order is appended, and an event of the user after it.
#[tokio::test(start_paused = true)]
async fn rechecks_of_other_rooms_do_not_prolong_the_hold() {
    let fails = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Fails };
    let hangs = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Hangs };
    for answer in [fails, hangs] {
        let trial = Trial::new(6, answer).await;
        let mut expected = Vec::new();
        for index in 1..=6 {
            let at = 1_000 + 4_000 * (index as u64 - 1);
            trial.until(at).await;
            trial.append(vec![recheck(index)]).await;
            trial.append(vec![event(room(0), index as u64)]).await;
            trial.until(at + 900).await;
            assert_eq!(trial.told(), expected, "{index}: one recheck is undecided");
            trial.until(at + 1_100).await;
            if index > 1 {
                let lost = index - 1;
                expected.push(format!("order-o{lost} unavailable"));
                expected.push(lost.to_string());
            }
            assert_eq!(trial.told(), expected, "{index}");
        }
        trial.until(26_100).await;
        expected.extend(["order-o6 unavailable".to_owned(), "6".to_owned()]);
        assert_eq!(trial.told(), expected);
    }
}

/// The client may have lost the room, so not even what precedes its recheck is handed over.
#[tokio::test(start_paused = true)]
async fn an_entry_before_the_recheck_of_its_room_waits_for_it() {
    let answer = |order: &str, ms: u128| match ms {
        0..1_000 => Allows,
        4_000.. if order == "o2" => Denies,
        _ => Fails,
    };
    let trial = Trial::new(2, answer).await;
    trial.append(vec![recheck(1)]).await;
    trial
        .append(vec![
            event(room(0), 1),
            event(room(2), 2),
            event(room(0), 3),
        ])
        .await;
    trial.until(2_000).await;
    trial.append(vec![recheck(2), event(room(0), 4)]).await;
    trial.until(3_900).await;
    assert!(trial.told().is_empty());
    trial.until(5_900).await;
    assert_eq!(trial.told(), ["order-o2 access_revoked"]);
    trial.until(6_100).await;
    let told = ["order-o2 access_revoked", LOST, "1", "3", "4"];
    assert_eq!(trial.told(), told);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_leave_the_room_and_join_it_again_meanwhile() {
    let answer = |_: &str, ms: u128| match ms {
        1_000..5_000 => Fails,
        _ => Allows,
    };
    let trial = Trial::new(2, answer).await;
    trial.append_around_recheck().await;
    trial.until(2_000).await;
    trial.phone.emit("leave_order_room", json!("o1"));
    trial.until(5_500).await;
    trial.phone.emit("join_order_room", json!("o1"));
    trial.until(7_000).await;
    trial.append(vec![event(room(1), 5)]).await;
    trial.until(8_000).await;
    assert_eq!(trial.told(), ["1", "3", "4", "5"]);
    assert_eq!(trial.phone.session.ended_by(), None);
}

#[tokio::test(start_paused = true)]
async fn a_failing_policy_is_asked_a_few_times() {
    let answer = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Fails };
    let trial = Trial::new(2, answer).await;
    let before = trial.policy.asked.load(Ordering::SeqCst);
    trial.append_around_recheck().await;
    trial.until(10_000).await;
    let asked = trial.policy.asked.load(Ordering::SeqCst) - before;
    assert!((4..=10).contains(&asked), "asked {asked} times");
}

/// The policy is asked for 256 at a time.
#[tokio::test(start_paused = true)]
async fn rechecks_that_wait_for_a_policy_that_decides_nothing_do_not_wait_longer() {
    let policy = TimedPolicy {
        began: Instant::now(),
        answer: |_, _| Hangs,
        asked: Arc::default(),
    };
    let node = node(policy, Limits::default().recheck_hold);
    // The node is older than its rechecks.
    sleep(Duration::from_secs(60)).await;
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let order = order(1);
    let began = Instant::now();
    let rechecks = (0..1_000).map(|_| node.decide_recheck(&identity, &order, Instant::now()));
    let decisions = join_all(rechecks).await;
    assert!(decisions.iter().all(Option::is_none));
    let took = began.elapsed().as_millis();
    assert!((5_000..5_100).contains(&took), "{took} ms");
}
