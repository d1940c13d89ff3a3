//! Sessions against a naive model: every entry of the session's rooms exactly once, in order, and none of a room that
//! it is not in or whose access is being decided.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use proptest::prelude::*;
use serde_json::json;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{End, Outgoing, Port, Progress, Session, Start};
use crate::{
    Identity, JwtAuthenticator, Limits, MemoryLog, NewEntry, OrderId, Role, Room,
    access::AdminsOnly,
    dispatch,
    handlers::Handlers,
    log::{Entry, EventLog as _, Page},
    node::Node,
    registry::{Entered, Registry},
    window::Window,
};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happens {
    /// An entry for these rooms is appended.
    Publish(Vec<usize>, usize),
    /// A recheck of this order is appended.
    Recheck(usize),
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
    /// So many packets reach the socket.
    Write(u64),
}

const ORDERS: [usize; 2] = [1, 2];

/// Room 0 is the session's own; 1 and 2 are orders; 3 is somebody else's.
fn room(index: usize) -> Room {
    match index {
        0 => Room::User("c1".parse().unwrap()),
        1 | 2 => Room::Order(order(index)),
        _ => Room::User("other".parse().unwrap()),
    }
}

fn order(index: usize) -> OrderId {
    format!("o{index}").parse().unwrap()
}

/// From three small numbers, which are much quicker to make up and to shrink than the things themselves.
fn happens((kind, which, size): (u8, u8, u16)) -> Happens {
    let order = ORDERS[usize::from(which) % 2];
    let rooms = (0..4).filter(|room| (which % 15 + 1) >> room & 1 == 1).collect();
    match kind % 36 {
        0..8 => Happens::Publish(rooms, usize::from(size) % 900),
        8..14 => Happens::Dispatch(usize::from(which) % 5 + 1),
        14..20 => Happens::Write(u64::from(which) % 5 + 1),
        20..25 => Happens::Step,
        25..27 => Happens::Join(order),
        27..29 => Happens::Decide(which > 63),
        29 => Happens::JoinHeld(order),
        30 => Happens::Release,
        31 => Happens::Leave(order),
        32 => Happens::BeginRead,
        33 => Happens::EndRead,
        _ => Happens::Recheck(order),
    }
}

#[derive(Default)]
struct Counter(AtomicU64);

impl Port for Counter {
    fn wake(&self) {}
    fn progress(&self) -> Option<Progress> {
        Some(Progress { written: self.0.load(Ordering::SeqCst), ..Progress::default() })
    }
    fn close(&self, _: End) {}
}

/// A read of the log that was begun: what it found, up to where, and for how many joins.
struct Read(Page, u64, u64);

/// The real parts, and what is known of them.
struct World {
    node: Node,
    log: MemoryLog,
    session: Arc<Session>,
    port: Arc<Counter>,
    start: Start,
    read: Option<Read>,
    taken: u64,
    got: Vec<Arc<Entry>>,
    /// Rooms, from which `n` on, and up to which.
    member: Vec<(Room, u64, u64)>,
}

impl World {
    fn new() -> Self {
        let log = MemoryLog::default();
        let limits = Limits { window_entries: 4, window_bytes: 2_000, ..Limits::default() };
        let head = log.append_now(Vec::new()).first().copied();
        assert_eq!(head, None);
        let port = Arc::new(Counter::default());
        let node = node(&log, limits);
        let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
        let session = Arc::new(Session::new(identity, None, &node.limits, Arc::clone(&port) as _));
        assert!(node.register(&session));
        let member = vec![(room(0), 0, u64::MAX)];
        let (start, read, taken, got) = (Start::new(None), None, 0, Vec::new());
        Self { node, log, session, port, start, read, taken, got, member }
    }

    fn happen(&mut self, happens: Happens) {
        match happens {
            Happens::Publish(rooms, size) => {
                let rooms: Vec<Room> = rooms.into_iter().map(room).collect();
                let entry = NewEntry::event(rooms, ("e", json!({ "x": "x".repeat(size) }))).unwrap();
                self.log.append_now(vec![entry]);
            }
            Happens::Recheck(index) => drop(self.log.append_now(vec![NewEntry::recheck(order(index))])),
            Happens::Dispatch(count) => self.dispatch(count),
            Happens::Join(index) => self.join(index, Session::join_from_now, |_, head| head),
            Happens::JoinHeld(index) => self.join(index, Session::join_held, |cursor, _| cursor),
            Happens::Release => self.session.state().release(),
            Happens::Leave(index) => self.leave(index),
            Happens::Decide(allowed) => self.decide(allowed),
            Happens::Step => self.step(),
            Happens::BeginRead => self.begin_read(),
            Happens::EndRead => self.end_read(),
            Happens::Write(count) => {
                let written = self.port.0.load(Ordering::SeqCst);
                self.port.0.store((written + count).min(self.taken), Ordering::SeqCst);
            }
        }
        self.take();
    }

    fn read_log(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Page {
        use futures_util::FutureExt as _;
        self.log.read(rooms, after, limit).now_or_never().unwrap().unwrap()
    }

    fn dispatch(&self, count: usize) {
        let after = self.node.window.head().n();
        let page = self.read_log(None, after, count);
        dispatch::offer_all(&self.node, after, &page);
    }

    /// Joins at once; `from` says where the room begins, by the session's cursor and the dispatcher's head.
    fn join(
        &mut self,
        index: usize,
        join_state: impl Fn(&Session, &Node, Room),
        from: impl Fn(u64, u64) -> u64,
    ) {
        let order = order(index);
        let mut join = self.node.registry.begin_join(&order);
        let entered = self
            .node
            .registry
            .enter(&self.session, &mut join, |session, room| join_state(session, &self.node, room));
        assert_eq!(entered, Entered::Yes);
        drop(join);
        let room = room(index);
        let from = from(self.session.state().cursor(), self.node.window.head().n());
        match self.member.iter_mut().find(|(of, _, to)| *of == room && *to == u64::MAX) {
            Some((_, since, _)) => *since = from.min(*since),
            None => self.member.push((room, from, u64::MAX)),
        }
    }

    fn leave(&mut self, index: usize) {
        let room = room(index);
        let cursor = self.session.state().cursor();
        self.ends(&room, cursor);
        self.node.registry.leave(&self.session, &room);
        self.session.state().leave(&room);
    }

    fn ends(&mut self, room: &Room, cursor: u64) {
        for (_, _, to) in self.member.iter_mut().filter(|(of, _, to)| of == room && *to == u64::MAX) {
            *to = cursor;
        }
    }

    fn decide(&mut self, allowed: bool) {
        let Some((order, n)) = self.session.state().next_recheck() else { return };
        if allowed {
            self.session.state().rechecked(&order, n);
        } else {
            let cursor = self.session.state().cursor();
            self.ends(&Room::Order(order.clone()), cursor);
            self.session.lose_room(&self.node, &order, n, "access_revoked");
        }
    }

    fn step(&mut self) {
        let from = self.session.state().cursor();
        let reaches = self.node.window.recent().reaches(from);
        if reaches {
            self.session.replay_window(&self.node, &mut self.start);
        } else {
            self.begin_read();
            self.end_read();
        }
    }

    fn begin_read(&mut self) {
        let (from, rooms, joins, may) = {
            let state = self.session.state();
            let rooms: Vec<Room> = state.rooms().cloned().collect();
            (state.cursor(), rooms, state.joins(), state.may_replay())
        };
        let head = self.node.window.head().n();
        // One step at a time: none is begun while another is under way, nor is anything else done meanwhile by it.
        if may && self.read.is_none() && from < head {
            self.read = Some(Read(self.read_log(Some(&rooms), from, 3), head, joins));
        }
    }

    fn end_read(&mut self) {
        let Some(Read(page, head, joins)) = self.read.take() else { return };
        self.session.replay_entries(&page.entries, page.scanned.min(head), head, joins);
    }

    /// Takes what is queued, and looks at whether it may be taken.
    fn take(&mut self) {
        while let Some(outgoing) = self.session.take() {
            self.taken += 1;
            if let Outgoing::Entry(entry) = outgoing {
                self.got.push(entry);
            }
        }
    }

    /// All is dispatched, allowed, written and caught up.
    fn settle(&mut self) {
        self.session.state().release();
        self.end_read();
        let head = self.read_log(None, 0, usize::MAX).scanned;
        let mut rounds = 0;
        while self.node.window.head().n() < head || !self.session.state().is_live() {
            self.happen(Happens::Dispatch(64));
            self.happen(Happens::Decide(true));
            self.happen(Happens::Write(64));
            self.happen(Happens::Step);
            rounds += 1;
            assert!(rounds < 1_000, "it never goes live");
        }
    }

    fn expected(&self) -> Vec<u64> {
        let wanted = |entry: &&Arc<Entry>| {
            let is_in = |room: &Room| {
                let of =
                    |(of, from, to): &(Room, u64, u64)| of == room && (*from + 1..=*to).contains(&entry.n());
                self.member.iter().any(of)
            };
            entry.recheck().is_none() && entry.content().rooms().iter().any(is_in)
        };
        self.read_log(None, 0, usize::MAX).entries.iter().filter(wanted).map(|entry| entry.n()).collect()
    }
}

fn node(log: &MemoryLog, limits: Limits) -> Node {
    use futures_util::FutureExt as _;
    let head = log.head().now_or_never().unwrap().unwrap().position;
    Node {
        window: Window::bounded(head, 6, 100_000),
        log: Arc::new(log.clone()),
        registry: Registry::default(),
        limits,
        access: Arc::new(AdminsOnly),
        authenticator: Arc::new(JwtAuthenticator::hs256("secret").unwrap()),
        handlers: Handlers::default(),
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
        draining: false.into(),
        handle: Mutex::default(),
        admission: Mutex::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn each_entry_of_its_rooms_comes_once_and_in_order(story in prop::collection::vec(any::<(u8, u8, u16)>().prop_map(happens), 0..50)) {
        let mut world = World::new();
        for happens in story {
            let before = world.got.len();
            let pending = world.session.state().next_recheck().is_some();
            let decides = matches!(happens, Happens::Decide(_));
            world.happen(happens);
            prop_assert!(!pending || decides || world.got.len() == before, "handed over while access was being decided");
            prop_assert!(world.session.waiting() <= 4 + 3, "{} packets wait", world.session.waiting());
        }
        world.settle();
        let got: Vec<u64> = world.got.iter().map(|entry| entry.n()).collect();
        prop_assert_eq!(got, world.expected());
    }
}

#[test]
fn a_gap_in_what_is_dispatched_keeps_everybody_from_going_live_before_it() {
    let mut world = World::new();
    (0..5).for_each(|_| world.happen(Happens::Publish(vec![0], 1)));
    world.happen(Happens::Dispatch(1));
    world.happen(Happens::Step);
    assert!(world.session.state().is_live());
    let mut page = world.read_log(None, 3, 2);
    page.trimmed = 3;
    dispatch::offer_all(&world.node, 1, &page);
    let state = world.session.state();
    assert!(!state.is_live());
    assert_eq!(state.cursor(), 1);
    assert!(!world.node.window.recent().reaches(1), "the log says what is missing");
}

#[test]
fn a_session_that_goes_while_it_enters_a_room_is_in_no_room() {
    let world = World::new();
    let order = order(1);
    let mut join = world.node.registry.begin_join(&order);
    world.node.end(&world.session, End::TransportLost);
    let entered = world.node.registry.enter(&world.session, &mut join, |_, _| unreachable!("it has gone"));
    assert_eq!(entered, Entered::Gone);
    drop(join);
    assert_eq!(world.node.registry.sizes(), (0, 0, 0));
}

#[test]
fn what_follows_a_lost_room_is_not_handed_over_though_it_waits() {
    let world = World::new();
    world.session.state().go_live();
    let order = order(1);
    world.session.is_in_from_the_start(room(1));
    world.session.push_control("busy", Box::default());
    drop(world.session.take());
    let event = Arc::new(super::Volatile { name: "at".parse().unwrap(), payload: Box::default() });
    assert!(world.session.offer_volatile(&event, &room(1)));
    world.session.lose_room(&world.node, &order, 1, "access_revoked");
    world.port.0.store(10, Ordering::SeqCst);
    assert!(matches!(world.session.take(), Some(Outgoing::Control { name: "rt:room_left", .. })));
    assert!(world.session.take().is_none());
}
