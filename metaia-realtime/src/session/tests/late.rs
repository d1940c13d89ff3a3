//! A log that comes later than the sessions: what it asked for meanwhile is made up for before they
//! go on.

use std::sync::Arc;

use super::{
    log::Log,
    world::{Counter, now, order, room},
};
use crate::{
    EventLog as _, Identity, JwtAuthenticator, NewEntry, Position, Role,
    node::{Entered, Node, NodeParts, Window, begin_again},
    session::{EndReason, Session},
};

/// A node that could not read its log yet, which will have no more than its last few entries.
fn node(log: &Log) -> Node {
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        ..NodeParts::default()
    };
    Node::new(Window::unknown(), Arc::new(authenticator), parts)
}

fn connect(node: &Node, user: &str, began: Position) -> Arc<Session> {
    let identity = Identity::new(user.parse().unwrap(), Role::Customer);
    let session = Arc::new(Session::new(
        node,
        identity,
        None,
        began,
        Arc::new(Counter::default()) as _,
    ));
    assert!(node.register(&session));
    session
}

fn head(log: &Log) -> Position {
    now(log.head()).unwrap().position
}

fn publish(log: &Log, count: usize) {
    let entry = || NewEntry::event([room(3)], ("e", serde_json::json!({}))).unwrap();
    (0..count).for_each(|_| drop(log.now().append_now(vec![entry()])));
}

#[test]
fn access_that_was_decided_before_the_log_was_read_is_decided_again() {
    let log = Log::new();
    let node = node(&log);
    let session = connect(&node, "c1", node.window().head());
    let (in_it, joining) = (order(1), order(2));
    let mut join = node.registry().begin_join(&in_it);
    let from_the_start = |session: &Session, room| session.state().join(room, 0);
    assert_eq!(
        node.registry().enter(&session, &mut join, from_the_start),
        Entered::Yes
    );
    let mut asked = node.registry().begin_join(&joining);
    // Both are taken from it elsewhere, which this node never dispatches.
    log.now().append_now(vec![
        NewEntry::recheck(in_it.clone()),
        NewEntry::recheck(joining.clone()),
    ]);
    now(begin_again(&node)).unwrap();
    assert_eq!(
        session.state().next_recheck().map(|(order, _)| order),
        Some(in_it.clone())
    );
    assert!(!session.state().may_replay());
    assert_eq!(
        node.registry().enter(&session, &mut asked, from_the_start),
        Entered::AskAgain
    );
}

#[test]
fn who_was_disconnected_before_the_log_was_read_does_not_go_on() {
    let log = Log::new();
    let node = node(&log);
    publish(&log, 1);
    let began = head(&log);
    let (kicked, other) = (connect(&node, "c1", began), connect(&node, "c2", began));
    let (unknown, unknown_other) = (
        connect(&node, "c1", node.window().head()),
        connect(&node, "c3", node.window().head()),
    );
    let one = connect(&node, "c4", began);
    log.now().append_now(vec![
        NewEntry::disconnect_user("c1".parse().unwrap()),
        NewEntry::disconnect_session(one.id),
    ]);
    let later = connect(&node, "c1", head(&log));
    now(begin_again(&node)).unwrap();
    assert_eq!(
        (kicked.ended_by(), one.ended_by()),
        (Some(EndReason::Kicked), Some(EndReason::Kicked))
    );
    // It may have come after that: it comes back.
    assert_eq!(unknown.ended_by(), Some(EndReason::Unavailable));
    assert!(
        [&other, &unknown_other, &later]
            .iter()
            .all(|session| session.ended_by().is_none())
    );
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let late = Arc::new(Session::new(
        &node,
        identity,
        None,
        began,
        Arc::new(Counter::default()) as _,
    ));
    assert!(
        !node.register(&late),
        "it is registered after the first read, and began before the disconnect"
    );
}

#[test]
fn who_may_have_been_disconnected_by_what_is_not_read_comes_back() {
    let log = Log::new();
    let node = node(&log);
    publish(&log, 1);
    let (known, unknown) = (
        connect(&node, "c1", head(&log)),
        connect(&node, "c2", node.window().head()),
    );
    // The log keeps the last twelve.
    publish(&log, 40);
    now(begin_again(&node)).unwrap();
    assert_eq!(
        (known.ended_by(), unknown.ended_by()),
        (Some(EndReason::Unavailable), Some(EndReason::Unavailable))
    );
}

#[test]
fn nothing_of_a_new_history_is_handed_over_before_the_reset() {
    let mut world = super::World::new();
    (0..5).for_each(|_| world.publish(&[0], 1));
    world.dispatch(64);
    world.step();
    world.take();
    world.write(64);
    let sent = world.client.packets_sent();
    world.log.begin_anew();
    let entry = || NewEntry::event([room(0)], ("e", serde_json::json!({}))).unwrap();
    world
        .log
        .now()
        .append_now((0..9).map(|_| entry()).collect());
    // The window is the new history's, and the session was not told so yet.
    let recent = now(world.node.window().read_anew(&*world.node.log())).unwrap();
    world.node.window().begin_again(recent);
    world
        .session
        .tell_position(world.node.window().dispatched(), 1);
    world.take();
    assert_eq!(world.client.packets_sent(), sent, "no position");
    world.session.fall_back(5);
    world
        .session
        .replay_window(&world.node, &mut crate::session::Start::default());
    world.take();
    assert_eq!(world.client.packets_sent(), sent, "no entry");
    assert!(world.session.state().take_lost().is_some());
}
