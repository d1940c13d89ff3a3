//! Rounds of decisions on all access, with a policy that takes its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{sync::Notify, time::Instant};

use super::{
    log::Log,
    unreadable::{append, connect_into_room, head, unreadable},
    world::{now, order},
};
use crate::{
    AccessDecision, AccessError, Identity, JwtAuthenticator, NewEntry, OrderAccess, OrderId, Role,
    Room,
    node::{Node, NodeParts, Window, dispatch},
    session::{
        BeforeStart, ConnectRequest, Driven, EndReason, InboundQueue, Outgoing, Phase, Port,
        Progress, Session, drive, resume::StartPoint,
    },
};

/// Allows everyone, after a pause. Clones share their counts.
#[derive(Clone)]
struct SlowPolicy {
    pause: Duration,
    asked: Arc<AtomicUsize>,
    deciding: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
}

impl SlowPolicy {
    fn new(pause: Duration) -> Self {
        Self {
            pause,
            asked: Arc::default(),
            deciding: Arc::default(),
            most_at_once: Arc::default(),
        }
    }
}

impl OrderAccess for SlowPolicy {
    async fn may_join(&self, _: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let deciding = self.deciding.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(deciding, Ordering::SeqCst);
        tokio::time::sleep(self.pause).await;
        self.deciding.fetch_sub(1, Ordering::SeqCst);
        Ok(AccessDecision::Allowed)
    }
}

#[derive(Default)]
pub(super) struct NotifyPort(pub(super) Notify);

impl Port for NotifyPort {
    fn wake(&self) {
        self.0.notify_one();
    }
    fn progress(&self) -> Option<Progress> {
        None
    }
    fn close(&self, _: EndReason) {}
}

fn node(log: &Log, policy: SlowPolicy) -> Arc<Node> {
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        access: Arc::new(policy),
        ..NodeParts::default()
    };
    let window = Window::new(head(log));
    Arc::new(Node::new(window, Arc::new(authenticator), parts))
}

/// Connects a client that asks for order 1. Returns how many entries were written to it.
fn connect(node: &Arc<Node>, log: &Log) -> Arc<AtomicUsize> {
    connect_with_orders(node, log, 1)
}

/// Connects a client that asks for the orders 1 to `orders`.
fn connect_with_orders(node: &Arc<Node>, log: &Log, orders: usize) -> Arc<AtomicUsize> {
    let (session, port) = session_of(node, log, orders);
    let written = Arc::<AtomicUsize>::default();
    let write = counting(&written);
    let node = Arc::clone(node);
    node.tasks().clone().spawn(async move {
        let (_inbound, events) = InboundQueue::new(node.limits());
        let pause = AtomicBool::new(false);
        drive(session, node, events, &port.0, &pause, write).await;
    });
    written
}

pub(super) fn session_of(
    node: &Arc<Node>,
    log: &Log,
    orders: usize,
) -> (Arc<Session>, Arc<NotifyPort>) {
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let request = ConnectRequest {
        orders: (1..=orders).map(|index| Ok(order(index))).collect(),
        ..ConnectRequest::default()
    };
    let phase = Phase::NotBegun(BeforeStart::new(request, Some(head(log))));
    let port = Arc::new(NotifyPort::default());
    let session = Session::new(node, identity, None, phase, Arc::clone(&port) as _);
    let session = Arc::new(session);
    assert!(node.register(&session).is_ok());
    (session, port)
}

/// Returns a writer that counts entries.
fn counting(written: &Arc<AtomicUsize>) -> impl FnMut(Outgoing) -> Result<(), EndReason> + use<> {
    let written = Arc::clone(written);
    move |outgoing| {
        let is_entry = matches!(outgoing, Outgoing::Entry(..));
        written.fetch_add(usize::from(is_entry), Ordering::SeqCst);
        Ok(())
    }
}

/// Connects a client that asks for order 1. Its session is paused when the policy has been asked
/// `asked` times, while it decides, and is driven elsewhere 1 s later.
fn connect_and_pause(
    node: &Arc<Node>,
    log: &Log,
    policy: SlowPolicy,
    asked: usize,
) -> Arc<AtomicUsize> {
    let (session, port) = session_of(node, log, 1);
    let written = Arc::<AtomicUsize>::default();
    let first = counting(&written);
    let mut second = counting(&written);
    let node = Arc::clone(node);
    node.tasks().clone().spawn(async move {
        let (_inbound, events) = InboundQueue::new(node.limits());
        let pause = AtomicBool::new(false);
        let driving = drive(Arc::clone(&session), node, events, &port.0, &pause, first);
        let pausing = async {
            while policy.asked.load(Ordering::SeqCst) < asked {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(policy.deciding.load(Ordering::SeqCst), 1);
            pause.store(true, Ordering::SeqCst);
            session.wake();
        };
        let (driver, ()) = tokio::join!(driving, pausing);
        let mut driver = driver.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        while driver.drive_until_quiet(&port.0, &mut second).await == Driven::Resting {
            port.0.notified().await;
        }
    });
    written
}

fn event() -> NewEntry {
    NewEntry::event([Room::Order(order(1))], ("e", json!({}))).unwrap()
}

/// Appends an unreadable entry and an event in each of `count` seconds.
async fn append_each_second(log: &Log, count: usize) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..count {
        seconds.tick().await;
        log.now().append_now(vec![unreadable(), event()]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_receives_events_while_unreadable_entries_keep_coming() {
    let log = Log::large();
    let node = node(&log, SlowPolicy::new(Duration::from_secs(3)));
    node.run();
    let written = connect(&node, &log);
    append_each_second(&log, 30).await;
    let written = written.load(Ordering::SeqCst);
    assert!(written >= 15, "{written} of 30 events are written");
}

/// First a step of the start waits for the policy, then a decision on access.
#[tokio::test(start_paused = true)]
async fn work_that_is_paused_goes_on_elsewhere() {
    for asked in [1, 2] {
        let log = Log::large();
        let policy = SlowPolicy::new(Duration::from_secs(3));
        let node = node(&log, policy.clone());
        node.run();
        let written = connect_and_pause(&node, &log, policy, asked);
        append_each_second(&log, 30).await;
        let written = written.load(Ordering::SeqCst);
        assert!(written >= 15, "{written} of 30 events are written");
    }
}

/// All decisions of the session take 15 s, and a round begins after 8 s.
#[tokio::test(start_paused = true)]
async fn a_session_with_many_rooms_receives_events_while_unreadable_entries_keep_coming() {
    let log = Log::large();
    let node = node(&log, SlowPolicy::new(Duration::from_secs(3)));
    node.run();
    let written = connect_with_orders(&node, &log, 5);
    append_each_second(&log, 120).await;
    let written = written.load(Ordering::SeqCst);
    assert!(written >= 60, "{written} of 120 events are written");
}

#[tokio::test(start_paused = true)]
async fn frequent_holes_cost_a_round_in_two_seconds() {
    // The log keeps the last 12.
    let log = Log::new();
    let policy = SlowPolicy::new(Duration::ZERO);
    let node = node(&log, policy.clone());
    node.run();
    connect(&node, &log);
    let mut pauses = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..200 {
        pauses.tick().await;
        log.now().append_now((0..20).map(|_| event()).collect());
    }
    let asked = policy.asked.load(Ordering::SeqCst);
    assert!((2..=12).contains(&asked), "asked {asked} times in 20 s");
}

#[tokio::test(start_paused = true)]
async fn the_dispatcher_does_not_wait_for_a_policy_that_hangs() {
    let log = Log::large();
    let node = node(&log, SlowPolicy::new(Duration::from_secs(3_600)));
    node.run();
    connect(&node, &log);
    let began = Instant::now();
    append_each_second(&log, 30).await;
    let appended = head(&log);
    node.up_to_date().await.unwrap();
    assert!(node.window().head().n() >= appended.n());
    assert!(began.elapsed() < Duration::from_secs(38));
}

/// Its start may wait for the dispatcher.
#[test]
fn a_round_does_not_wait_for_a_session_that_is_starting() {
    let log = Log::large();
    let node = node(&log, SlowPolicy::new(Duration::ZERO));
    let session = connect_into_room(&node, head(&log));
    append(&log, 1);
    now(dispatch(&node)).unwrap();
    session.state().begin_start();
    assert!(!session.is_rechecking());
    session.start_from(&node, StartPoint::Head);
    assert!(session.is_rechecking());
}

#[tokio::test(start_paused = true)]
async fn what_precedes_an_unreadable_entry_is_dispatched_before_the_wait() {
    let log = Log::large();
    let node = node(&log, SlowPolicy::new(Duration::ZERO));
    append(&log, 1);
    dispatch(&node).await.unwrap();
    log.now()
        .append_now(vec![event(), event(), unreadable(), event()]);
    assert!(dispatch(&node).await.unwrap(), "there is more");
    assert_eq!(node.window().head().n(), 3);
    let waiting = Instant::now();
    dispatch(&node).await.unwrap();
    assert_eq!(node.window().head().n(), 5);
    assert_eq!(waiting.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn rechecks_are_bounded_and_waiting_for_the_policy_is_not_its_time() {
    let policy = SlowPolicy::new(Duration::from_secs(4));
    let node = node(&Log::large(), policy.clone());
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let order = order(1);
    let rechecks = (0..600).map(|_| node.decide_recheck(&identity, &order, Instant::now()));
    let decisions = join_all(rechecks).await;
    let allowed = Some(AccessDecision::Allowed);
    assert!(decisions.iter().all(|decision| *decision == allowed));
    assert_eq!(policy.most_at_once.load(Ordering::SeqCst), 256);
}
