//! Sessions against a naive model, which remembers everything that was ever appended: every entry
//! of the client's rooms exactly once and in order, from where it was last told that it stands;
//! none of a room that it is not in or whose access is being decided; and where something is
//! missing, a reset.

mod client;
mod late;
mod log;
mod world;

use std::sync::{Arc, atomic::Ordering};

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::{EndReason, Outgoing, Session, Volatile};
use crate::{
    NewEntry,
    node::{Entered, offer_all},
};
use world::{World, now, order, room};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happens {
    /// An entry for these rooms is appended. Beyond the log's bound the oldest is trimmed.
    Publish(Vec<usize>, usize),
    /// A recheck of this order is appended.
    Recheck(usize),
    /// A disconnect of the client's user, or of somebody else, is appended.
    Kick(bool),
    /// The dispatcher takes so many entries.
    Dispatch(usize),
    /// The client joins, and is live in the room from now on.
    Join(usize),
    /// The client joins with a position; what it is then given beforehand is not looked at here.
    JoinHeld(usize),
    Release,
    Leave(usize),
    /// The first of the rechecks is decided.
    Decide(bool),
    /// A step of catching up, whole; or a read of the log whose answer comes later.
    Step,
    BeginRead,
    EndRead,
    /// So many packets reach the socket, or the client.
    Write(u64),
    Receive(usize),
    /// The line breaks, and the client comes back with its position and its rooms.
    Reconnect,
    /// The server dies, and starts again on the same log.
    Crash,
    /// The log's history is another one.
    NewEpoch,
}

const ORDERS: [usize; 2] = [1, 2];

/// From three small numbers, which are much quicker to make up and to shrink than the things
/// themselves.
fn happens((kind, which, size): (u8, u8, u16)) -> Happens {
    let order = ORDERS[usize::from(which) % 2];
    let rooms = (0..4)
        .filter(|room| (which % 15 + 1) >> room & 1 == 1)
        .collect();
    match kind % 48 {
        0..12 => Happens::Publish(rooms, usize::from(size) % 900),
        12..18 => Happens::Dispatch(usize::from(which) % 5 + 1),
        18..24 => Happens::Write(u64::from(which) % 5 + 1),
        24..28 => Happens::Receive(usize::from(which) % 5 + 1),
        28..33 => Happens::Step,
        33..35 => Happens::Join(order),
        35..37 => Happens::Decide(which > 63),
        37 => Happens::JoinHeld(order),
        38 => Happens::Release,
        39 => Happens::Leave(order),
        40 => Happens::BeginRead,
        41 => Happens::EndRead,
        42 | 43 => Happens::Reconnect,
        44 => Happens::Crash,
        45 if which < 32 => Happens::NewEpoch,
        46 if which < 64 => Happens::Kick(which < 48),
        _ => Happens::Recheck(order),
    }
}

fn happen(world: &mut World, happens: Happens) -> Result<(), String> {
    match happens {
        Happens::Publish(rooms, size) => world.publish(&rooms, size),
        Happens::Recheck(index) => world.append(NewEntry::recheck(order(index))),
        Happens::Kick(ours) => world.kick(ours),
        Happens::Dispatch(count) => world.dispatch(count),
        Happens::Join(index) => world.join(index, Session::join_from_now, |_, head| head),
        Happens::JoinHeld(index) => world.join(index, Session::join_held, |cursor, _| cursor),
        Happens::Release => world.session.state().release(),
        Happens::Leave(index) => world.leave(index),
        Happens::Decide(allowed) => world.decide(allowed),
        Happens::Step => world.step(),
        Happens::BeginRead => world.begin_read(),
        Happens::EndRead => world.end_read(),
        Happens::Write(count) => world.write(count),
        Happens::Receive(count) => world.client.receives(count)?,
        Happens::Reconnect => world.reconnect()?,
        Happens::Crash => world.crash()?,
        Happens::NewEpoch => world.new_epoch()?,
    }
    world.take();
    world.check_end()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn each_entry_of_its_rooms_comes_once_and_in_order(story in prop::collection::vec(any::<(u8, u8, u16)>().prop_map(happens), 0..50)) {
        let mut world = World::new();
        for happens in story {
            let pending = world.session.state().next_recheck().is_some();
            let silent = matches!(happens, Happens::Step | Happens::EndRead | Happens::Dispatch(_));
            let before = world.client.entries_sent();
            let happened = happen(&mut world, happens.clone());
            prop_assert_eq!(happened, Ok(()), "{:?}", happens);
            prop_assert!(!(pending && silent) || world.client.entries_sent() <= before, "handed over while access was being decided");
            prop_assert!(world.session.waiting() <= 4 + 4, "{} packets wait", world.session.waiting());
        }
        prop_assert_eq!(world.settle(), Ok(()));
    }
}

#[test]
fn a_gap_in_what_is_dispatched_keeps_everybody_from_going_live_before_it() {
    let mut world = World::new();
    (0..5).for_each(|_| world.publish(&[0], 1));
    world.dispatch(1);
    world.step();
    assert!(world.session.state().is_live());
    let mut page = now(crate::EventLog::read(&world.log, None, 3, 2)).unwrap();
    page.trimmed = 3;
    offer_all(&world.node, 1, &page);
    let state = world.session.state();
    assert!(!state.is_live());
    assert_eq!(state.cursor(), 1);
    assert!(
        !world.node.window().recent().reaches(1),
        "the log says what is missing"
    );
}

#[test]
fn a_session_that_goes_while_it_enters_a_room_is_in_no_room() {
    let world = World::new();
    let order = order(1);
    let mut join = world.node.registry().begin_join(&order);
    world.node.end(&world.session, EndReason::TransportLost);
    let entered = world
        .node
        .registry()
        .enter(&world.session, &mut join, |_, _| {
            unreachable!("it has gone")
        });
    assert_eq!(entered, Entered::Gone);
    drop(join);
    assert_eq!(world.node.registry().sizes(), (0, 0, 0));
}

#[test]
fn what_follows_a_lost_room_is_not_handed_over_though_it_waits() {
    let world = World::new();
    world.session.state().go_live();
    let order = order(1);
    world.session.state().join(room(1), 0);
    world.session.push_control("busy", Box::default());
    drop(world.session.take());
    let event = Arc::new(Volatile {
        name: "at".parse().unwrap(),
        payload: Box::default(),
    });
    assert!(world.session.offer_volatile(&event, &room(1)));
    world.session.recheck(&order, 0);
    let asked = world.session.state().next_recheck().unwrap().1;
    world
        .session
        .lose_room(&world.node, &order, asked, "access_revoked");
    world.port.0.store(10, Ordering::SeqCst);
    assert!(matches!(
        world.session.take(),
        Some(Outgoing::Control {
            name: "rt:room_left",
            ..
        })
    ));
    assert!(world.session.take().is_none());
}

#[test]
fn a_session_that_was_told_no_position_for_long_is_told_one() {
    let mut world = World::new();
    world.step();
    (0..5).for_each(|_| world.publish(&[3], 1));
    world.dispatch(5);
    world.take();
    let told = world.client.packets_sent();
    world
        .session
        .tell_position(world.node.window().dispatched(), 6);
    world.take();
    assert_eq!(world.client.packets_sent(), told, "it is not old enough");
    world
        .session
        .tell_position(world.node.window().dispatched(), 5);
    world
        .session
        .tell_position(world.node.window().dispatched(), 5);
    world.take();
    assert_eq!(world.client.packets_sent(), told + 1);
}

#[test]
fn a_session_that_rests_is_not_reset_by_a_read_from_before() {
    let mut world = World::new();
    (0..60).for_each(|_| world.publish(&[0], 1));
    world.dispatch(64);
    world.begin_read();
    world.join(1, Session::join_held, |cursor, _| cursor);
    let cursor = world.session.state().cursor();
    world.end_read();
    world.take();
    assert_eq!(
        (world.client.packets_sent(), world.session.state().cursor()),
        (0, cursor)
    );
}

#[test]
fn a_room_is_not_replayed_on_from_a_history_that_is_gone() {
    let mut world = World::new();
    world.publish(&[1], 1);
    let since = now(crate::EventLog::head(&world.log)).unwrap().position;
    (0..10).for_each(|_| world.publish(&[1], 1));
    world.dispatch(64);
    world.step();
    world.join(1, Session::join_held, |cursor, _| cursor);
    let upto = world.session.state().cursor();
    let (node, session, port) = (&world.node, &world.session, &world.port);
    let room = room(1);
    let mut replay = Box::pin(session.replay_room(node, &room, since, upto));
    assert!(
        (&mut replay).now_or_never().is_none(),
        "it waits for credit"
    );
    session.lose_history();
    let (order, asked) = session.state().next_recheck().unwrap();
    session.state().rechecked(&order, asked);
    while session.take().is_some() {}
    port.0.store(10, Ordering::SeqCst);
    session.progress.notify_waiters();
    assert_eq!(replay.now_or_never(), Some(None));
    assert!(session.take().is_none());
}

#[test]
fn what_was_decided_for_the_old_history_is_no_answer_for_the_new_one() {
    let mut world = World::new();
    world.join(1, Session::join_from_now, |_, head| head);
    (0..5).for_each(|_| world.publish(&[0], 1));
    world.append(NewEntry::recheck(order(1)));
    world.dispatch(64);
    let (order, asked) = world.session.state().next_recheck().unwrap();
    world.new_epoch().unwrap();
    world.session.state().rechecked(&order, asked);
    assert!(
        world.session.state().next_recheck().is_some(),
        "the new history's request"
    );

    let (_, asked) = world.session.state().next_recheck().unwrap();
    world.append(NewEntry::recheck(order.clone()));
    world.dispatch(64);
    world.session.state().rechecked(&order, asked);
    assert!(
        world.session.state().next_recheck().is_some(),
        "the later of two requests of one history"
    );
}
