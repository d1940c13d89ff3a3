//! A log that can be read only after sessions have started: its control entries are applied before
//! the sessions go on.

use std::sync::Arc;

use super::{
    super::{BeforeStart, ConnectRequest, Phase, resume::StartPoint},
    log::Log,
    world::{CountingPort, now, order, room},
};
use crate::{
    EventLog as _, Identity, JwtAuthenticator, NewEntry, Position, Role,
    node::{Entered, Node, NodeParts, Window, reload_window},
    session::{EndReason, Session},
};

/// Returns a node that could not read its log yet.
fn node(log: &Log) -> Node {
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        ..NodeParts::default()
    };
    Node::new(Window::without_log(), Arc::new(authenticator), parts)
}

pub(super) fn connect(node: &Node, user: &str, started_at: Position) -> Arc<Session> {
    let session = session(node, user, started_at);
    assert!(node.register(&session).is_ok());
    session
}

pub(super) fn session(node: &Node, user: &str, started_at: Position) -> Arc<Session> {
    let identity = Identity::new(user.parse().unwrap(), Role::Customer);
    let port = Arc::new(CountingPort::default());
    let before = BeforeStart::new(ConnectRequest::default(), Some(started_at));
    Arc::new(Session::new(
        node,
        identity,
        None,
        Phase::NotBegun(before),
        port,
    ))
}

fn head(log: &Log) -> Position {
    now(log.head()).unwrap().position
}

fn event(index: usize) -> NewEntry {
    NewEntry::event([room(index)], ("e", serde_json::json!({}))).unwrap()
}

pub(super) fn publish(log: &Log, count: usize) {
    for _ in 0..count {
        log.now().append_now(vec![event(3)]);
    }
}

#[test]
fn access_that_was_decided_before_the_log_was_read_is_decided_again() {
    let log = Log::new();
    let node = node(&log);
    let session = connect(&node, "c1", node.window().head());
    session.state().begin_start();
    let joined = order(1);
    let joining = order(2);
    let mut join = node.registry().begin_join(&joined);
    let join_state = |session: &Session, room| session.state().join(room, 0);
    assert_eq!(
        node.registry().enter(&session, &mut join, join_state),
        Entered::Yes
    );
    let mut undecided = node.registry().begin_join(&joining);
    // Other nodes recheck both orders; this node never dispatches that.
    log.now().append_now(vec![
        NewEntry::recheck(joined.clone()),
        NewEntry::recheck(joining.clone()),
    ]);
    now(reload_window(&node)).unwrap();
    assert_eq!(
        session.state().next_recheck().map(|(order, _)| order),
        Some(joined.clone())
    );
    session.start_from(&node, StartPoint::Head);
    assert!(session.state().replay_limit().is_none());
    assert_eq!(
        node.registry().enter(&session, &mut undecided, join_state),
        Entered::AskAgain
    );
}

#[test]
fn a_session_that_was_disconnected_before_the_log_was_read_ends() {
    let log = Log::new();
    let node = node(&log);
    publish(&log, 1);
    let started_at = head(&log);
    let of_user = connect(&node, "c1", started_at);
    let other = connect(&node, "c2", started_at);
    let of_unknown_start = connect(&node, "c1", node.window().head());
    let other_of_unknown_start = connect(&node, "c3", node.window().head());
    let single = connect(&node, "c4", started_at);
    log.now().append_now(vec![
        NewEntry::disconnect_user("c1".parse().unwrap()),
        NewEntry::disconnect_session(single.id),
    ]);
    let later = connect(&node, "c1", head(&log));
    now(reload_window(&node)).unwrap();
    assert_eq!(of_user.ended_by(), Some(EndReason::Kicked));
    assert_eq!(single.ended_by(), Some(EndReason::Kicked));
    // It may have started after the disconnect: its client reconnects.
    assert_eq!(of_unknown_start.ended_by(), Some(EndReason::Unavailable));
    for unaffected in [&other, &other_of_unknown_start, &later] {
        assert_eq!(unaffected.ended_by(), None);
    }
    let late = session(&node, "c1", started_at);
    assert!(
        node.register(&late).is_err(),
        "it registers after the first read, and started before the disconnect"
    );
}

#[test]
fn a_session_that_a_trimmed_entry_may_have_disconnected_ends() {
    let log = Log::new();
    let node = node(&log);
    publish(&log, 1);
    let of_known_start = connect(&node, "c1", head(&log));
    let of_unknown_start = connect(&node, "c2", node.window().head());
    // The log keeps the last 12.
    publish(&log, 40);
    now(reload_window(&node)).unwrap();
    assert_eq!(of_known_start.ended_by(), Some(EndReason::Unavailable));
    assert_eq!(of_unknown_start.ended_by(), Some(EndReason::Unavailable));
}

#[test]
fn nothing_of_a_new_history_is_handed_over_before_the_reset() {
    let mut world = super::World::new();
    for _ in 0..5 {
        world.publish(&[0], 1);
    }
    world.dispatch(64);
    world.step();
    world.take();
    world.write(64);
    let sent = world.client.packets_sent();
    world.log.begin_new_epoch();
    world
        .log
        .now()
        .append_now((0..9).map(|_| event(0)).collect());
    // The window is the new epoch's, and the session does not know that yet.
    let recent = now(world.node.window().read_end_of(world.node.log())).unwrap();
    world.node.window().replace(recent);
    world
        .session
        .send_position_if_stale(world.node.window().dispatched(), 1);
    world.take();
    assert_eq!(world.client.packets_sent(), sent, "no position is sent");
    world.session.fall_back(5);
    world.session.replay_window(&world.node);
    world.take();
    assert_eq!(world.client.packets_sent(), sent, "no entry is sent");
    assert!(world.session.state().is_resetting());
}
