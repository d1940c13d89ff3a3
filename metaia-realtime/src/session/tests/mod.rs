//! Sessions against a naive model, which remembers everything that was ever appended.
//!
//! From the position that it was last told, a client receives every entry of its rooms exactly once
//! and in order. It receives no entry of a room that it is not in, such as that of a role that it
//! had before its last token. While the access to one of its rooms is being decided, it receives no
//! entry of that room, and neither an entry nor a position later than the request to decide: if it
//! reconnects then, it misses nothing. If an entry is missing, it receives a reset. Each of its
//! fences is answered once, behind everything that it covers. Each action leaves the session in a
//! phase that may follow the one before.

mod access_table;
mod client;
mod connect;
mod couriers;
mod device;
mod ending;
mod expiry;
mod fences;
mod finish;
mod hold;
mod hold_repeats;
mod inbound;
mod large_room;
mod large_room_races;
mod late;
mod log;
mod missed;
mod outbox;
mod phases;
mod phone;
mod refresh;
mod revocation;
mod rounds;
mod syncs;
mod unreadable;
mod world;

use std::sync::{Arc, atomic::Ordering};

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::{ConnectRequest, EndReason, Outgoing, Session, Volatile, fences::MAX_WAITING};
use crate::{
    NewEntry, Role,
    node::{Entered, dispatch_entries},
};
use connect::Connect;
use phases::Before;
use world::{World, now, order, room};

/// One thing that happens in a story.
#[derive(Debug, Clone)]
enum Action {
    /// An entry for these rooms is appended. Beyond the log's bound the oldest is trimmed.
    Publish(Vec<usize>, usize),
    /// A recheck of this order is appended.
    Recheck(usize),
    /// A control entry that nodes cannot read is appended, in the order's room.
    Unreadable(usize),
    /// A disconnect of the client's user (`true`), or of another one, is appended.
    Disconnect(bool),
    /// The dispatcher takes up to this many entries.
    Dispatch(usize),
    /// The client joins, and is live in the room from now on.
    Join(usize),
    /// The client joins with a position. The replay before the join is not modelled here.
    JoinWithReplay(usize),
    EndJoinPause,
    Leave(usize),
    /// The first or the second of the rechecks is decided.
    Decide(usize, bool),
    /// The policy has not decided one of the rechecks for as long as it may hold back the session.
    GiveUp(usize),
    /// A step of catching up, as a whole, or with a read of the log that takes time.
    Step,
    BeginRead,
    EndRead,
    /// Up to this many packets reach the socket, or the client.
    Write(u64),
    Receive(usize),
    /// The line breaks, and the client reconnects with its position and its rooms.
    Reconnect(Connect),
    /// The client sends `rt:resume` (`true`), or the session no longer awaits it.
    Resume(bool),
    /// The client sends a token of the first or the second role by `rt:refresh`.
    Refresh(usize),
    /// The client sends `rt:sync`.
    Sync,
    /// The log answers what it was asked for fences.
    ReadHeads,
    /// The session's task takes the heads that were read.
    SetFenceHeads,
    /// The session's task answers fences.
    AnswerFences,
    /// The server is killed, and starts again on the same log.
    Crash,
    /// The log begins a new epoch.
    NewEpoch,
}

const ORDERS: [usize; 2] = [1, 2];
const ROLES: [Role; 2] = [Role::Customer, Role::Tailor];

/// Returns an action for three small numbers, which are much quicker to generate and to shrink than
/// actions.
fn action((kind, which, size): (u8, u8, u16)) -> Action {
    let order = ORDERS[usize::from(which) % 2];
    let rooms = (0..6)
        .filter(|room| (which % 63 + 1) >> room & 1 == 1)
        .collect();
    match kind % 64 {
        0..12 => Action::Publish(rooms, usize::from(size) % 900),
        12..18 => Action::Dispatch(usize::from(which) % 5 + 1),
        18..24 => Action::Write(u64::from(which) % 5 + 1),
        24..28 => Action::Receive(usize::from(which) % 5 + 1),
        28..33 => Action::Step,
        33..35 => Action::Join(order),
        35..37 => Action::Decide(usize::from(which) % 2, which > 63),
        37 => Action::JoinWithReplay(order),
        38 => Action::EndJoinPause,
        39 => Action::Leave(order),
        40 => Action::BeginRead,
        41 => Action::EndRead,
        42 => Action::Reconnect(Connect::AtOnce),
        43 if which < 128 => Action::Reconnect(Connect::InSteps),
        43 => Action::Reconnect(Connect::WithResume),
        44 => Action::Crash,
        45 if which < 64 => Action::NewEpoch,
        46 if which < 64 => Action::Disconnect(which < 48),
        47..51 => Action::Resume(which < 128),
        51 if which < 64 => Action::Unreadable(order),
        52 => Action::GiveUp(usize::from(which) % 2),
        54 => Action::Refresh(usize::from(which) % 2),
        55..58 => Action::Sync,
        58..61 => Action::ReadHeads,
        61..63 => Action::SetFenceHeads,
        63 => Action::AnswerFences,
        _ => Action::Recheck(order),
    }
}

fn act(world: &mut World, action: Action) -> Result<(), String> {
    let takes_events = world.session.state().cursor().is_some();
    match action {
        // Events of the client wait until the session has a cursor.
        Action::Join(_) | Action::JoinWithReplay(_) | Action::Leave(_) | Action::Sync
            if !takes_events => {}
        // It waits until its answer could be written.
        Action::Refresh(_) if !world.takes_a_refresh() => {}
        Action::Refresh(index) => world.refresh(ROLES[index]),
        Action::Publish(rooms, size) => world.publish(&rooms, size),
        Action::Recheck(index) => world.append(NewEntry::recheck(order(index))),
        Action::Unreadable(index) => world.append_unreadable(index),
        Action::Disconnect(own_user) => world.disconnect(own_user),
        Action::Dispatch(count) => world.dispatch(count),
        Action::Join(index) => world.join(index, Session::join_at_head, |_, head| head),
        Action::JoinWithReplay(index) => {
            world.join(index, Session::join_at_cursor, |cursor, _| cursor);
        }
        Action::EndJoinPause => world.session.state().end_join_pause(),
        Action::Leave(index) => world.leave(index),
        Action::Decide(index, allowed) => world.decide(index, allowed),
        Action::GiveUp(index) => world.give_up(index),
        Action::Step => world.step(),
        Action::BeginRead => world.begin_read(),
        Action::EndRead => world.end_read(),
        Action::Write(count) => world.write(count),
        Action::Receive(count) => world.client.receives(count)?,
        Action::Reconnect(how) => world.reconnect(how)?,
        Action::Resume(true) => {
            let mut state = world.session.state();
            state.apply_resume(ConnectRequest::default(), Some(1));
        }
        Action::Resume(false) => world.session.state().stop_awaiting_resume(),
        Action::Sync => world.sync()?,
        Action::ReadHeads => world.read_heads(),
        Action::SetFenceHeads => world.set_fence_heads(),
        Action::AnswerFences => {
            world.session.answer_fences();
        }
        Action::Crash => world.crash()?,
        Action::NewEpoch => world.new_epoch()?,
    }
    world.take();
    world.client.fences.check()?;
    world.check_end()
}

fn stories() -> impl Strategy<Value = Vec<Action>> {
    prop::collection::vec(any::<(u8, u8, u16)>().prop_map(action), 0..50)
}

/// The credit window of the test's node, and as much again for packets beside it; and the answers
/// of all fences.
const MAX_PACKETS: usize = 4 + 4 + MAX_WAITING;

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn each_entry_of_its_rooms_comes_once_and_in_order(story in stories()) {
        let mut world = World::new();
        for action in story {
            let undecided = world.undecided_orders();
            let before = Before::of(&world);
            let acted = act(&mut world, action.clone());
            prop_assert_eq!(acted, Ok(()), "{:?}", action);
            prop_assert_eq!(before.check(&action, &world), Ok(()), "{:?}", action);
            let held = before.check_held(&undecided, &world);
            prop_assert_eq!(held, Ok(()), "{:?}", action);
            let waiting = world.session.waiting();
            prop_assert!(waiting <= MAX_PACKETS, "{} packets wait", waiting);
        }
        prop_assert_eq!(world.settle(), Ok(()));
    }
}

#[test]
fn no_session_goes_live_before_a_gap_in_what_is_dispatched() {
    let mut world = World::new();
    for _ in 0..5 {
        world.publish(&[0], 1);
    }
    world.dispatch(1);
    world.step();
    assert!(world.is_live());
    let mut page = now(crate::EventLog::read(&world.log, None, 3, 2)).unwrap();
    page.trimmed = 3;
    now(dispatch_entries(&world.node, 1, &page.entries)).deliver_at_once();
    assert!(!world.is_live());
    assert_eq!(world.session.state().cursor(), Some(1));
    assert!(
        !world.node.window().recent().reaches(1),
        "only the log tells what is missing"
    );
}

#[test]
fn a_session_that_ends_while_it_enters_a_room_is_in_no_room() {
    let world = World::new();
    let order = order(1);
    let mut join = world.node.registry().begin_join(&order);
    world.node.end(&world.session, EndReason::TransportLost);
    let entered = world
        .node
        .registry()
        .enter(&world.session, &mut join, |_, _| {
            unreachable!("the session has ended")
        });
    assert_eq!(entered, Entered::Gone);
    drop(join);
    assert_eq!(world.node.registry().sizes(), (0, 0, 0));
}

#[test]
fn a_volatile_event_of_a_revoked_room_is_dropped_though_it_waits() {
    let world = World::new();
    world.session.state().go_live(0);
    let order = order(1);
    world.session.state().join(room(1), 0);
    world.session.push_control("busy", Box::default());
    drop(world.session.take());
    let event = Arc::new(Volatile {
        name: "at".parse().unwrap(),
        payload: Box::default(),
        rooms: vec![room(1)],
        key: None,
        frame: std::sync::OnceLock::new(),
    });
    assert!(world.session.offer_volatile(&event, 0));
    world.session.recheck(&order, 0);
    let request = world.session.state().next_recheck().unwrap().1;
    world
        .session
        .revoke_room(&world.node, &order, request, "access_revoked");
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
fn a_volatile_event_comes_once_and_by_a_room_that_is_not_withheld() {
    let world = World::new();
    world.session.state().join(room(1), 0);
    let event = |rooms: &[usize]| {
        Arc::new(Volatile {
            name: "at".parse().unwrap(),
            payload: Box::default(),
            rooms: rooms.iter().copied().map(room).collect(),
            key: None,
            frame: std::sync::OnceLock::new(),
        })
    };
    let offer = |rooms: &[usize]| {
        let event = event(rooms);
        (0..rooms.len())
            .map(|index| world.session.offer_volatile(&event, index))
            .collect::<Vec<_>>()
    };
    assert_eq!(offer(&[3, 1, 0]), [false, true, false]);
    assert_eq!(offer(&[0, 0, 1]), [true, false, false]);
    world.session.recheck(&order(1), 0);
    assert_eq!(offer(&[1]), [false]);
    assert_eq!(offer(&[1, 0]), [false, true]);
}

#[test]
fn a_session_that_was_sent_no_position_for_long_is_sent_one() {
    let mut world = World::new();
    world.step();
    for _ in 0..5 {
        world.publish(&[3], 1);
    }
    world.dispatch(5);
    world.take();
    let sent = world.client.packets_sent();
    world
        .session
        .send_position_if_stale(world.node.window().dispatched(), 6);
    world.take();
    assert_eq!(
        world.client.packets_sent(),
        sent,
        "the position is not old enough"
    );
    world
        .session
        .send_position_if_stale(world.node.window().dispatched(), 5);
    world
        .session
        .send_position_if_stale(world.node.window().dispatched(), 5);
    world.take();
    assert_eq!(world.client.packets_sent(), sent + 1);
}

#[test]
fn a_paused_session_is_not_reset_by_a_read_that_began_before() {
    let mut world = World::new();
    for _ in 0..60 {
        world.publish(&[0], 1);
    }
    world.dispatch(64);
    world.begin_read();
    world.join(1, Session::join_at_cursor, |cursor, _| cursor);
    let cursor = world.session.state().cursor();
    world.end_read();
    world.take();
    assert_eq!(world.client.packets_sent(), 0);
    assert_eq!(world.session.state().cursor(), cursor);
}

#[test]
fn the_replay_of_a_room_stops_when_its_history_is_gone() {
    let mut world = World::new();
    world.publish(&[1], 1);
    let since = now(crate::EventLog::head(&world.log)).unwrap().position;
    for _ in 0..10 {
        world.publish(&[1], 1);
    }
    world.dispatch(64);
    world.step();
    world.join(1, Session::join_at_cursor, |cursor, _| cursor);
    let upto = world.session.state().cursor().unwrap();
    let session = &world.session;
    let room = room(1);
    let mut replay = Box::pin(session.replay_room(&world.node, &room, since, upto));
    assert!(
        (&mut replay).now_or_never().is_none(),
        "the replay waits for credit"
    );
    session.lose_history();
    let (order, request) = session.state().next_recheck().unwrap();
    session.state().finish_recheck(&order, request);
    while session.take().is_some() {}
    world.port.0.store(10, Ordering::SeqCst);
    session.written.notify_waiters();
    assert_eq!(replay.now_or_never(), Some(None));
    assert!(session.take().is_none());
}

#[test]
fn a_decision_counts_only_for_requests_before_it() {
    let mut world = World::new();
    world.join(1, Session::join_at_head, |_, head| head);
    for _ in 0..5 {
        world.publish(&[0], 1);
    }
    world.append(NewEntry::recheck(order(1)));
    world.dispatch(64);
    let (order, request) = world.session.state().next_recheck().unwrap();
    world.new_epoch().unwrap();
    world.session.state().finish_recheck(&order, request);
    assert!(
        world.session.state().next_recheck().is_some(),
        "the new epoch's request stays"
    );

    let (_, request) = world.session.state().next_recheck().unwrap();
    world.append(NewEntry::recheck(order.clone()));
    world.dispatch(64);
    world.session.state().finish_recheck(&order, request);
    assert!(
        world.session.state().next_recheck().is_some(),
        "the later of two requests of one epoch stays"
    );
}
