//! Control entries that a node cannot read: access to orders is decided again, and no session ends.

use std::{sync::Arc, time::Duration};

use super::{
    log::Log,
    world::{now, order},
};
use crate::{
    EventLog as _, Identity, JwtAuthenticator, NewEntry, Position, Role,
    node::{Entered, Node, NodeParts, Window, dispatch, reload_window},
    session::{
        BeforeStart, ConnectRequest, Phase, Session, SilentPort, recheck_request::RecheckRequest,
    },
    values::EventId,
};

pub(super) fn unreadable() -> NewEntry {
    NewEntry::stored(EventId::random(), ["everyone"], "rt:newer", String::new()).unwrap()
}

pub(super) fn append(log: &Log, count: usize) {
    log.now()
        .append_now((0..count).map(|_| unreadable()).collect());
}

pub(super) fn head(log: &Log) -> Position {
    now(log.head()).unwrap().position
}

pub(super) fn node(log: &Log, window: Window) -> Node {
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        ..NodeParts::default()
    };
    Node::new(window, Arc::new(authenticator), parts)
}

fn session(node: &Node, started_at: Position) -> Arc<Session> {
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let request = ConnectRequest::default();
    let phase = Phase::NotBegun(BeforeStart::new(request, Some(started_at)));
    Arc::new(Session::new(
        node,
        identity,
        None,
        phase,
        Arc::new(SilentPort),
    ))
}

/// Registers a session that is in the room of order 1.
pub(super) fn connect_into_room(node: &Node, started_at: Position) -> Arc<Session> {
    let session = session(node, started_at);
    assert!(node.register(&session).is_ok());
    let order = order(1);
    let mut join = node.registry().begin_join(&order);
    let join_state = |session: &Session, room| session.state().join(room, 0);
    let entered = node.registry().enter(&session, &mut join, join_state);
    assert_eq!(entered, Entered::Yes);
    drop(join);
    session
}

fn pending(session: &Session) -> Option<RecheckRequest> {
    session.state().next_recheck().map(|(_, request)| request)
}

fn finish(session: &Session) {
    let request = pending(session).unwrap();
    session.state().finish_recheck(&order(1), request);
}

async fn dispatch_all(node: &Node) {
    while dispatch(node).await.unwrap() {}
}

#[tokio::test(start_paused = true)]
async fn one_round_serves_all_entries_that_the_log_has() {
    let log = Log::large();
    let node = node(&log, Window::new(head(&log)));
    let session = connect_into_room(&node, head(&log));
    append(&log, 200);
    assert!(dispatch(&node).await.unwrap());
    let first = pending(&session);
    assert!(first.is_some());
    dispatch_all(&node).await;
    assert_eq!(pending(&session), first, "no second request");
    assert_eq!(node.counters().unreadable_controls.read(), 200);
    assert_eq!(session.ended_by(), None);
}

#[tokio::test(start_paused = true)]
async fn the_next_round_begins_two_seconds_later() {
    let log = Log::large();
    let node = node(&log, Window::new(head(&log)));
    let session = connect_into_room(&node, head(&log));
    append(&log, 1);
    dispatch_all(&node).await;
    finish(&session);
    append(&log, 1);
    let too_early = tokio::time::timeout(Duration::from_millis(1_990), dispatch(&node)).await;
    assert!(too_early.is_err());
    assert_eq!(node.window().head().n(), 1, "nothing later is dispatched");
    dispatch_all(&node).await;
    assert!(pending(&session).is_some());
    assert_eq!(node.window().head().n(), 2);
}

#[test]
fn a_connection_that_may_have_been_disconnected_is_refused() {
    let log = Log::large();
    let node = node(&log, Window::new(head(&log)));
    let before = head(&log);
    append(&log, 1);
    now(dispatch(&node)).unwrap();
    assert!(node.register(&session(&node, before)).is_err());
    assert!(node.register(&session(&node, head(&log))).is_ok());
}

#[test]
fn an_entry_from_before_the_first_read_ends_no_session() {
    let log = Log::large();
    let node = node(&log, Window::without_log());
    let before = head(&log);
    let of_known_start = connect_into_room(&node, before);
    let of_unknown_start = connect_into_room(&node, node.window().head());
    append(&log, 3);
    now(reload_window(&node)).unwrap();
    for session in [&of_known_start, &of_unknown_start] {
        assert_eq!(session.ended_by(), None);
        assert!(pending(session).is_some());
    }
    assert_eq!(node.counters().unreadable_controls.read(), 3);
    assert!(node.register(&session(&node, before)).is_err());
}
