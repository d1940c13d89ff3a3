//! Control entries that a node never dispatches: they are in a hole, or of a new epoch.

use super::{
    late::{connect, publish, session},
    log::Log,
    unreadable::{head, node, unreadable},
    world::now,
};
use crate::{
    NewEntry,
    node::{Window, dispatch},
    session::EndReason,
};

#[test]
fn a_connection_that_began_before_a_hole_is_refused() {
    let log = Log::new();
    let node = node(&log, Window::new(head(&log)));
    let before = head(&log);
    let registered = connect(&node, "c1", before);
    log.now()
        .append_now(vec![NewEntry::disconnect_user("c1".parse().unwrap())]);
    // The log keeps the last 12.
    publish(&log, 40);
    now(dispatch(&node)).unwrap();
    assert_eq!(registered.ended_by(), None);
    assert!(node.register(&session(&node, "c1", before)).is_err());
    assert!(node.register(&session(&node, "c1", head(&log))).is_ok());
}

#[test]
fn the_control_entries_of_a_new_epoch_are_applied() {
    let log = Log::new();
    let node = node(&log, Window::new(head(&log)));
    let before = head(&log);
    let disconnected = connect(&node, "c1", before);
    let other = connect(&node, "c2", before);
    let single = connect(&node, "c3", before);
    log.begin_new_epoch();
    let of_new_epoch = connect(&node, "c1", head(&log));
    log.now().append_now(vec![
        NewEntry::disconnect_user("c1".parse().unwrap()),
        NewEntry::disconnect_session(single.id),
        unreadable(),
    ]);
    now(dispatch(&node)).unwrap();
    // It may have started after the disconnect: its client reconnects.
    assert_eq!(disconnected.ended_by(), Some(EndReason::Unavailable));
    assert_eq!(of_new_epoch.ended_by(), Some(EndReason::Kicked));
    assert_eq!(single.ended_by(), Some(EndReason::Kicked));
    assert_eq!(other.ended_by(), None);
    assert_eq!(node.counters().unreadable_controls.read(), 1);
}

#[test]
fn a_connection_of_an_old_epoch_is_refused() {
    let log = Log::new();
    let node = node(&log, Window::new(head(&log)));
    let before = head(&log);
    log.begin_new_epoch();
    now(dispatch(&node)).unwrap();
    assert!(node.register(&session(&node, "c1", before)).is_err());
    assert!(node.register(&session(&node, "c1", head(&log))).is_ok());
}
