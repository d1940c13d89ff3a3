//! Events and handlers of a session after its end.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{json, value::RawValue};
use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};

use super::{log::Log, phone::Phone, unreadable::head};
use crate::{
    Identity, JwtAuthenticator, NewEntry, Role,
    node::{Node, NodeParts, Window, drain},
    session::{ConnectRequest, EndReason, EventHandlers, Handled, Session},
    values::time,
};

/// The handler of the event `save`: it takes as many ms as its argument says.
#[derive(Clone, Default)]
struct Saves {
    begun: Arc<Mutex<Vec<u64>>>,
    done: Arc<Mutex<Vec<u64>>>,
}

impl Saves {
    fn begun(&self) -> Vec<u64> {
        self.begun.lock().clone()
    }

    fn done(&self) -> Vec<u64> {
        self.done.lock().clone()
    }
}

impl EventHandlers for Saves {
    fn has(&self, name: &str) -> bool {
        name == "save"
    }

    fn handle(
        &self,
        _: &Session,
        name: &str,
        argument: &RawValue,
    ) -> Option<BoxFuture<'static, Handled>> {
        assert_eq!(name, "save");
        let ms: u64 = serde_json::from_str(argument.get()).unwrap();
        self.begun.lock().push(ms);
        let done = Arc::clone(&self.done);
        Some(Box::pin(async move {
            sleep(Duration::from_millis(ms)).await;
            done.lock().push(ms);
            Ok(Box::default())
        }))
    }
}

fn node(saves: &Saves) -> Arc<Node> {
    let log = Log::large();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        handlers: Arc::new(saves.clone()),
        ..NodeParts::default()
    };
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    Arc::new(Node::new(
        Window::new(head(&log)),
        Arc::new(authenticator),
        parts,
    ))
}

async fn pass(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}

/// Ends a session while its first event is handled and others wait. Returns the events that were
/// begun, and those that were handled to their end.
async fn end_while_handling(reason: EndReason) -> (Vec<u64>, Vec<u64>) {
    let saves = Saves::default();
    let node = node(&saves);
    let phone = Phone::connect(&node, "c1");
    for ms in [100, 101, 102] {
        phone.emit("save", json!(ms));
    }
    phone.emit("join_order_room", json!("o1"));
    phone.emit("save", json!(103));
    pass(50).await;
    assert_eq!(saves.begun(), [100]);
    node.end(&phone.session, reason);
    phone.wait_for_end(&node).await;
    (saves.begun(), saves.done())
}

const BY_CLIENT: [EndReason; 3] = [
    EndReason::ClientLeft,
    EndReason::TransportLost,
    EndReason::PingTimeout,
];

const BY_SERVER: [EndReason; 9] = [
    EndReason::Kicked,
    EndReason::Expired,
    EndReason::OverUserCap,
    EndReason::RateLimited,
    EndReason::Slow,
    EndReason::Draining,
    EndReason::Unavailable,
    EndReason::CutOff,
    EndReason::Replaced,
];

#[tokio::test(start_paused = true)]
async fn a_handler_runs_to_its_end_and_so_do_the_events_of_a_client_that_left() {
    for reason in BY_CLIENT {
        let all = vec![100, 101, 102, 103];
        assert_eq!(
            end_while_handling(reason).await,
            (all.clone(), all),
            "{reason}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_runs_to_its_end_and_nothing_begins_after_the_server_has_ended_the_session() {
    for reason in BY_SERVER {
        let one = vec![100];
        assert_eq!(
            end_while_handling(reason).await,
            (one.clone(), one),
            "{reason}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_arrived_before_the_session_had_begun_are_handled() {
    let saves = Saves::default();
    let node = node(&saves);
    let phone = Phone::connect(&node, "c1");
    for ms in [3, 2, 1] {
        phone.emit("save", json!(ms));
    }
    node.end(&phone.session, EndReason::ClientLeft);
    phone.wait_for_end(&node).await;
    assert_eq!(saves.done(), [3, 2, 1]);

    let kicked = Phone::connect(&node, "c1");
    kicked.emit("save", json!(4));
    node.end(&kicked.session, EndReason::Kicked);
    kicked.wait_for_end(&node).await;
    assert_eq!(saves.begun(), [3, 2, 1]);
}

/// Lets a client send three events and leave, and then appends an entry. Returns the events that
/// were begun in all.
async fn leave_and_append(entry: impl FnOnce(&Phone) -> NewEntry) -> Vec<u64> {
    let saves = Saves::default();
    let node = node(&saves);
    node.run();
    let phone = Phone::connect(&node, "c1");
    for ms in [100, 101, 102] {
        phone.emit("save", json!(ms));
    }
    pass(50).await;
    node.end(&phone.session, EndReason::ClientLeft);
    pass(100).await;
    node.log().append(vec![entry(&phone)]).await.unwrap();
    pass(1_000).await;
    assert_eq!(saves.begun(), saves.done());
    saves.begun()
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_after_the_user_or_the_session_is_disconnected() {
    let user = |name: &str| NewEntry::disconnect_user(name.parse().unwrap());
    assert_eq!(leave_and_append(|_| user("c1")).await, [100, 101]);
    assert_eq!(leave_and_append(|_| user("c2")).await, [100, 101, 102]);
    let own = leave_and_append(|phone| NewEntry::disconnect_session(phone.session.id));
    assert_eq!(own.await, [100, 101]);
    let other =
        leave_and_append(|_| NewEntry::disconnect_session(crate::values::SessionId::random()));
    assert_eq!(other.await, [100, 101, 102]);
}

/// Lets a client leave while three events of it wait, and then disconnects somebody before the
/// session's task has found its end. Returns the events that are begun.
async fn leave_and_stop(stop: impl FnOnce(&Node, &Phone)) -> Vec<u64> {
    let saves = Saves::default();
    let node = node(&saves);
    let phone = Phone::connect(&node, "c1");
    for ms in [100, 101, 102] {
        phone.emit("save", json!(ms));
    }
    pass(50).await;
    node.end(&phone.session, EndReason::ClientLeft);
    stop(&node, &phone);
    phone.wait_for_end(&node).await;
    saves.begun()
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_between_the_end_and_the_rest_stops_its_target_alone() {
    let stop_user = |name: &'static str| {
        leave_and_stop(move |node, _| node.finishing().stop_user(&name.parse().unwrap()))
    };
    assert_eq!(stop_user("c1").await, [100]);
    assert_eq!(stop_user("c2").await, [100, 101, 102]);
    let own = leave_and_stop(|node, phone| node.finishing().stop_session(phone.session.id));
    assert_eq!(own.await, [100]);
    let other = crate::values::SessionId::random();
    let other = leave_and_stop(move |node, _| node.finishing().stop_session(other));
    assert_eq!(other.await, [100, 101, 102]);
}

/// Entries that the session was told of before its end are no reason to drop its events.
#[tokio::test(start_paused = true)]
async fn what_the_log_had_before_the_end_does_not_matter() {
    let saves = Saves::default();
    let node = node(&saves);
    node.run();
    let phone = Phone::connect(&node, "c1");
    pass(10).await;
    let earlier = vec![
        NewEntry::disconnect_user("c2".parse().unwrap()),
        super::unreadable::unreadable(),
    ];
    node.log().append(earlier).await.unwrap();
    pass(10).await;
    phone.emit("save", json!(1));
    phone.emit("save", json!(2));
    node.end(&phone.session, EndReason::ClientLeft);
    pass(100).await;
    assert_eq!(saves.done(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_after_the_token_has_expired() {
    let saves = Saves::default();
    let node = node(&saves);
    let mut identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let expires_at = time::unix_ms() + 200;
    identity.expires_at = Some(expires_at);
    let phone = Phone::connect_as(&node, identity, ConnectRequest::default());
    phone.emit("save", json!(10));
    phone.emit("save", json!(11));
    // No time passes on tokio's clock, so that the handler is not done before.
    while saves.begun().is_empty() {
        yield_now().await;
    }
    node.end(&phone.session, EndReason::ClientLeft);
    while time::unix_ms() <= expires_at {
        yield_now().await;
    }
    phone.wait_for_end(&node).await;
    assert_eq!(saves.done(), [10]);
}

#[tokio::test(start_paused = true)]
async fn sixteen_sessions_of_a_user_finish_at_a_time() {
    let saves = Saves::default();
    let node = node(&saves);
    let leave_while_handling = async |user: &str, ms: u64| {
        let phone = Phone::connect(&node, user);
        phone.emit("save", json!(ms));
        pass(1).await;
        node.end(&phone.session, EndReason::ClientLeft);
        pass(1).await;
    };
    for ms in 1_000..1_018 {
        leave_while_handling("c1", ms).await;
    }
    leave_while_handling("c2", 2_000).await;
    pass(3_000).await;
    let expected: Vec<u64> = (1_000..1_016).chain([2_000]).collect();
    assert_eq!(saves.done(), expected);
    leave_while_handling("c1", 1).await;
    assert_eq!(saves.done().last(), Some(&1), "there is a place again");
}

/// Drains a node with two sessions whose handlers take 3 s; one of them has ended. Returns how long
/// that takes, and how many handlers end.
async fn drain_while_handling(deadline: Duration) -> (Duration, usize) {
    let saves = Saves::default();
    let node = node(&saves);
    node.run();
    let left = Phone::connect(&node, "c1");
    let stays = Phone::connect(&node, "c2");
    for phone in [&left, &stays] {
        phone.emit("save", json!(3_000));
        phone.emit("save", json!(3_000));
    }
    pass(100).await;
    node.end(&left.session, EndReason::ClientLeft);
    let began = Instant::now();
    drain(&node, deadline).await;
    let took = began.elapsed();
    pass(10_000).await;
    (took, saves.done().len())
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_handlers_until_its_deadline() {
    let (took, done) = drain_while_handling(Duration::from_secs(9)).await;
    assert_eq!(done, 3, "the second event of the client that left, too");
    assert_eq!(took.as_secs(), 5, "{took:?}");
    let (took, done) = drain_while_handling(Duration::from_secs(4)).await;
    assert_eq!(done, 2);
    assert_eq!(took.as_secs(), 4, "{took:?}");
    let (took, done) = drain_while_handling(Duration::ZERO).await;
    assert_eq!(done, 0);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
