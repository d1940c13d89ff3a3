//! The real parts of a node, one client, and what is known of both.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::FutureExt as _;
use serde_json::json;

use super::{
    super::{EndReason, Port, Progress, Session, Start, catch_up::Read},
    client::Client,
    log::Log,
};
use crate::{
    EventLog as _, Identity, JwtAuthenticator, Limits, NewEntry, OrderId, Role, Room,
    log::{Control, Entry, Page},
    node::{Entered, Node, NodeParts, Window, begin_again, offer_all},
};

/// Room 0 is the session's own; 1 and 2 are orders; 3 is somebody else's.
pub(super) fn room(index: usize) -> Room {
    match index {
        0 => Room::User("c1".parse().unwrap()),
        1 | 2 => Room::Order(order(index)),
        _ => Room::User("other".parse().unwrap()),
    }
}

pub(super) fn order(index: usize) -> OrderId {
    format!("o{index}").parse().unwrap()
}

pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

#[derive(Default)]
pub(super) struct Counter(pub(super) AtomicU64);

impl Port for Counter {
    fn wake(&self) {}
    fn progress(&self) -> Option<Progress> {
        Some(Progress {
            written: self.0.load(Ordering::SeqCst),
            ..Progress::default()
        })
    }
    fn close(&self, _: EndReason) {}
}

pub(super) struct World {
    pub(super) node: Node,
    pub(super) log: Log,
    pub(super) session: Arc<Session>,
    pub(super) port: Arc<Counter>,
    start: Start,
    read: Option<(Read, Page)>,
    taken: u64,
    /// A disconnect of its user was dispatched since the session began, which came after that.
    kicked: bool,
    pub(super) client: Client,
}

impl World {
    pub(super) fn new() -> Self {
        let log = Log::new();
        let node = node(&log);
        let port = Arc::new(Counter::default());
        let session = connect(&node, &log, &port);
        let mut world = Self {
            node,
            log,
            session,
            port,
            start: Start::default(),
            read: None,
            taken: 0,
            kicked: false,
            client: Client::default(),
        };
        world.begin(&[]);
        world
    }

    pub(super) fn publish(&mut self, rooms: &[usize], size: usize) {
        let rooms: Vec<Room> = rooms.iter().copied().map(room).collect();
        self.append(NewEntry::event(rooms, ("e", json!({ "x": "x".repeat(size) }))).unwrap());
    }

    pub(super) fn kick(&mut self, ours: bool) {
        let user = if ours { "c1" } else { "c2" };
        self.append(NewEntry::disconnect_user(user.parse().unwrap()));
    }

    pub(super) fn append(&mut self, entry: NewEntry) {
        let at = self.log.now().append_now(vec![entry.clone()])[0];
        self.client
            .appended
            .push(Arc::new(Entry::new(at.epoch(), at.n(), 0, entry)));
    }

    fn read_log(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Page {
        now(self.log.read(rooms, after, limit)).unwrap()
    }

    pub(super) fn dispatch(&mut self, count: usize) {
        let head = self.node.window().head();
        let page = self.read_log(None, head.n(), count);
        if page.epoch == head.epoch() {
            self.kicked |= page.entries.iter().any(|entry| self.is_kicked_by(entry));
            offer_all(&self.node, head.n(), &page);
        } else {
            now(begin_again(&self.node)).unwrap();
        }
    }

    fn is_kicked_by(&self, entry: &Entry) -> bool {
        let kick = Control::DisconnectUser("c1".parse().unwrap());
        let began = self.session.began_at;
        entry.control() == Some(kick)
            && (began.epoch() != entry.position().epoch() || began.n() < entry.n())
    }

    /// A session was ended where it had to be, and nowhere else. Its client comes back of its own
    /// accord.
    pub(super) fn check_end(&mut self) -> Result<(), String> {
        let ended = self.session.ended_by();
        if ended != self.kicked.then_some(EndReason::Kicked) {
            return Err(format!("it ended by {ended:?}; kicked: {}", self.kicked));
        }
        if self.kicked {
            self.reconnect()
        } else {
            Ok(())
        }
    }

    fn dispatch_all(&mut self) {
        while self.node.window().head() != now(self.log.head()).unwrap().position {
            self.dispatch(64);
        }
    }

    /// Joins at once; `from` says where the room begins, by the session's cursor and the
    /// dispatcher's head.
    pub(super) fn join(
        &mut self,
        index: usize,
        join_state: impl Fn(&Session, &Node, Room),
        from: impl Fn(u64, u64) -> u64,
    ) {
        let order = order(index);
        let mut join = self.node.registry().begin_join(&order);
        let registry = &self.node.registry();
        let entered = registry.enter(&self.session, &mut join, |session, room| {
            join_state(session, &self.node, room)
        });
        assert_eq!(entered, Entered::Yes);
        drop(join);
        let room = room(index);
        let from = from(self.session.state().cursor(), self.node.window().head().n());
        self.client.joins(room, from);
    }

    pub(super) fn leave(&mut self, index: usize) {
        let room = room(index);
        self.ends(&room);
        self.node.registry().leave(&self.session, &room);
        self.session.state().leave(&room);
    }

    fn ends(&mut self, room: &Room) {
        let cursor = self.session.state().cursor();
        self.client.leaves(room, cursor);
    }

    pub(super) fn decide(&mut self, allowed: bool) {
        let Some((order, asked)) = self.session.state().next_recheck() else {
            return;
        };
        if allowed {
            self.session.state().rechecked(&order, asked);
        } else {
            self.ends(&Room::Order(order.clone()));
            self.session
                .lose_room(&self.node, &order, asked, "access_revoked");
        }
    }

    pub(super) fn step(&mut self) {
        if self.session.state().next_recheck().is_some() {
            return;
        }
        self.session.reload_if_lost(&self.node, &mut self.start);
        let from = self.session.state().cursor();
        let reaches = self.node.window().recent().reaches(from);
        if reaches {
            self.session.replay_window(&self.node, &mut self.start);
        } else {
            self.begin_read();
            self.end_read();
        }
    }

    pub(super) fn begin_read(&mut self) {
        let may = self.session.state().may_replay();
        let read = self.session.page_to_read(&self.node);
        // One step at a time: none is begun while another is under way, nor is anything else done
        // meanwhile by it.
        if may && self.read.is_none() && read.from < self.node.window().head().n() {
            let page = self.read_log(Some(&read.rooms), read.from, 3);
            self.read = Some((read, page));
        }
    }

    pub(super) fn end_read(&mut self) {
        if let Some((read, page)) = self.read.take() {
            self.session
                .replay_read(&self.node, &mut self.start, &read, &page);
        }
    }

    pub(super) fn write(&self, count: u64) {
        let written = self.port.0.load(Ordering::SeqCst);
        self.port
            .0
            .store((written + count).min(self.taken), Ordering::SeqCst);
    }

    /// Takes what is queued to where the socket would be.
    pub(super) fn take(&mut self) {
        while let Some(outgoing) = self.session.take() {
            self.taken += 1;
            self.client.is_sent(outgoing, || self.session.rooms());
        }
    }

    /// The line breaks: what was sent and not received is gone. The client comes back with its last
    /// position and asks for the order rooms that it was in.
    pub(super) fn reconnect(&mut self) -> Result<(), String> {
        self.client.check_so_far()?;
        let orders: Vec<OrderId> = self
            .session
            .rooms()
            .iter()
            .filter_map(Room::order)
            .cloned()
            .collect();
        self.node.end(&self.session, EndReason::TransportLost);
        self.come_back(&orders);
        Ok(())
    }

    /// The server is killed and starts again on the same log.
    pub(super) fn crash(&mut self) -> Result<(), String> {
        self.client.check_so_far()?;
        let orders: Vec<OrderId> = self
            .session
            .rooms()
            .iter()
            .filter_map(Room::order)
            .cloned()
            .collect();
        self.node = node(&self.log);
        self.come_back(&orders);
        Ok(())
    }

    fn come_back(&mut self, orders: &[OrderId]) {
        (self.read, self.taken) = (None, 0);
        self.port = Arc::new(Counter::default());
        self.session = connect(&self.node, &self.log, &self.port);
        self.kicked = false;
        self.begin(orders);
    }

    fn begin(&mut self, orders: &[OrderId]) {
        self.start = Start::default();
        for order in orders {
            let mut join = self.node.registry().begin_join(order);
            let from_the_start = |session: &Session, room| session.state().join(room, 0);
            assert_eq!(
                self.node
                    .registry()
                    .enter(&self.session, &mut join, from_the_start),
                Entered::Yes
            );
        }
        // What the log had by then is dispatched before anybody begins.
        self.dispatch_all();
        let begun = self.client.since.map(|since| {
            let limit = self.node.limits().replay_entries;
            now(self.session.judge(&self.node, since, limit))
                .unwrap()
                .map(|_| since)
        });
        let after = match begun {
            Some(Ok(since)) => since.n(),
            _ => self.node.window().head().n(),
        };
        self.session.go_on(&self.node, begun, None);
        self.start.begun();
        self.client.begins(self.session.rooms(), after);
    }

    /// The log begins anew behind the node's back.
    pub(super) fn new_epoch(&mut self) -> Result<(), String> {
        // Whatever the client has of the old history is looked at now: it is not what comes later.
        self.client.receives(usize::MAX)?;
        self.client.check_so_far()?;
        self.log.begin_anew();
        self.client.forgets_what_was_appended();
        self.read = None;
        self.dispatch(1);
        Ok(())
    }

    /// All is dispatched, allowed, written, caught up and received.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.session.state().release();
        self.end_read();
        let mut rounds = 0;
        while self.node.window().head() != now(self.log.head()).unwrap().position
            || !self.session.state().is_live()
        {
            self.dispatch(64);
            self.check_end()?;
            self.decide(true);
            self.take();
            self.write(64);
            self.client.receives(64)?;
            self.step();
            rounds += 1;
            if rounds > 1_000 {
                return Err("it never goes live".to_owned());
            }
        }
        self.take();
        self.client.receives(usize::MAX)?;
        self.client.check_all()
    }
}

fn connect(node: &Node, log: &Log, port: &Arc<Counter>) -> Arc<Session> {
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let began = now(log.head()).unwrap().position;
    let session = Arc::new(Session::new(
        node,
        identity,
        None,
        began,
        Arc::clone(port) as _,
    ));
    assert!(node.register(&session));
    session
}

fn node(log: &Log) -> Node {
    let limits = Limits {
        window_entries: 4,
        window_bytes: 2_000,
        replay_entries: 1_000,
        ..Limits::default()
    };
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        limits,
        ..NodeParts::default()
    };
    let window = now(Window::bounded_at_the_end_of(&*parts.log, 6, 100_000)).unwrap();
    Node::new(window, Arc::new(authenticator), parts)
}
