//! The real parts of a node, one client, and what the test knows of both.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::FutureExt as _;
use serde_json::json;

use super::{
    super::{
        EndReason, Port, Progress, Session, SessionIdentity,
        catch_up::PageRead,
        phase::{Intake, Phase},
        recheck_request::RecheckRequest,
    },
    client::Client,
    connect::{Connect, before_start, connect, node},
    fences::HeadReading,
    log::Log,
};
use crate::{
    EventLog as _, Identity, NewEntry, OrderId, Role, Room,
    log::{Control, Entry, EntryKind, Page},
    node::{Entered, Node, dispatch_entries, reload_window},
    values::EventId,
};

/// Returns room 0, the session's user's; 1 or 2, orders; 3, another user's; or 4 or 5, roles.
pub(super) fn room(index: usize) -> Room {
    match index {
        0 => Room::User("c1".parse().unwrap()),
        1 | 2 => Room::Order(order(index)),
        4 => Room::Role(Role::Customer),
        5 => Room::Role(Role::Tailor),
        _ => Room::User("other".parse().unwrap()),
    }
}

pub(super) fn order(index: usize) -> OrderId {
    format!("o{index}").parse().unwrap()
}

/// Returns the output of a future that is ready at once.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the future is ready at once")
}

/// A port on which the test says how many packets are written.
#[derive(Default)]
pub(super) struct CountingPort(pub(super) AtomicU64);

impl Port for CountingPort {
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
    /// The role of the client's token.
    pub(super) role: Role,
    pub(super) port: Arc<CountingPort>,
    /// The order rooms that the session joins when it starts.
    pub(super) orders: Vec<OrderId>,
    pub(super) read: Option<(PageRead, Page)>,
    pub(super) head_readings: Vec<HeadReading>,
    pub(super) taken: u64,
    /// The orders whose access is undecided, each with the number of the entry that asked first for
    /// a decision; 0 if all entries need it.
    pub(super) undecided: Vec<(OrderId, u64)>,
    /// A disconnect of the session's user was dispatched that was appended after the session
    /// started.
    pub(super) is_disconnected: bool,
    pub(super) client: Client,
}

impl World {
    pub(super) fn new() -> Self {
        let log = Log::new();
        let node = node(&log);
        let port = Arc::new(CountingPort::default());
        let role = Role::Customer;
        let session = connect(&node, role, Phase::NotBegun(before_start(&log)), &port);
        let mut world = Self {
            node,
            log,
            session,
            role,
            port,
            orders: Vec::new(),
            read: None,
            head_readings: Vec::new(),
            taken: 0,
            undecided: Vec::new(),
            is_disconnected: false,
            client: Client::default(),
        };
        world.client.connects(world.session.started_at.epoch());
        world.start();
        world
    }

    pub(super) fn publish(&mut self, rooms: &[usize], size: usize) {
        let rooms: Vec<Room> = rooms.iter().copied().map(room).collect();
        self.append(NewEntry::event(rooms, ("e", json!({ "x": "x".repeat(size) }))).unwrap());
    }

    /// Appends a disconnect of the client's user, or of another one.
    pub(super) fn disconnect(&mut self, own_user: bool) {
        let user = if own_user { "c1" } else { "c2" };
        self.append(NewEntry::disconnect_user(user.parse().unwrap()));
    }

    /// Appends a control entry of a newer version.
    pub(super) fn append_unreadable(&mut self, index: usize) {
        let rooms = [room(index).to_string()];
        let payload = "{}".to_owned();
        self.append(NewEntry::stored(EventId::random(), rooms, "rt:newer", payload).unwrap());
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
            let mut entries = page.entries.iter();
            self.is_disconnected |= entries.any(|entry| self.is_disconnected_by(entry));
            let dispatched = dispatch_entries(&self.node, head.n(), &page.entries);
            now(dispatched).deliver_at_once();
            self.note_undecided(head.n(), &page.entries);
        } else {
            now(reload_window(&self.node)).unwrap();
        }
    }

    fn is_disconnected_by(&self, entry: &Entry) -> bool {
        let disconnect = Control::DisconnectUser("c1".parse().unwrap());
        let started_at = self.session.started_at;
        *entry.kind() == EntryKind::Control(disconnect)
            && (started_at.epoch() != entry.position().epoch() || started_at.n() < entry.n())
    }

    /// Checks that the session was ended if it had to be, and only then. Its client reconnects.
    pub(super) fn check_end(&mut self) -> Result<(), String> {
        let ended = self.session.ended_by();
        let expected = self.is_disconnected.then_some(EndReason::Kicked);
        if ended != expected {
            return Err(format!("it ended by {ended:?}, not by {expected:?}"));
        }
        if self.is_disconnected {
            self.reconnect(Connect::AtOnce)?;
        }
        Ok(())
    }

    pub(super) fn dispatch_all(&mut self) {
        while self.node.window().head() != now(self.log.head()).unwrap().position {
            self.dispatch(64);
        }
    }

    /// Joins at once. `from` returns the entry after which the room begins, from the session's
    /// cursor and the dispatcher's head.
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
        let cursor = self.session.state().cursor().unwrap();
        let from = from(cursor, self.node.window().head().n());
        self.client.joins(room, from);
    }

    pub(super) fn leave(&mut self, index: usize) {
        let room = room(index);
        self.end_membership(&room);
        self.node.registry().leave(&self.session, &room);
        self.session.state().leave(&room);
    }

    fn end_membership(&mut self, room: &Room) {
        let cursor = self.session.state().cursor().unwrap();
        self.client.leaves(room, cursor);
    }

    /// Returns whether the session would handle `rt:refresh` now.
    pub(super) fn takes_a_refresh(&self) -> bool {
        self.session.state().intake() == Intake::Everything
    }

    /// Lets the session go on with a token of this role.
    pub(super) fn refresh(&mut self, role: Role) {
        let before = self.role;
        let who = Identity::new("c1".parse().unwrap(), role);
        let next = SessionIdentity::new(who, None, 0);
        self.session.replace_identity(Arc::new(next));
        self.role = role;
        if role == before {
            return;
        }
        self.end_membership(&Room::Role(before));
        self.client
            .joins(Room::Role(role), self.node.window().head().n());
        self.session.change_role(&self.node, before, role);
        let dispatched = self.node.window().dispatched().n();
        for order in self.session.rooms().iter().filter_map(Room::order) {
            if self.undecided.iter().all(|(noted, _)| noted != order) {
                self.undecided.push((order.clone(), dispatched));
            }
        }
    }

    /// Notes what the session has to decide since entries after `after` were dispatched.
    fn note_undecided(&mut self, after: u64, dispatched: &[Arc<Entry>]) {
        for (order, _) in self.session.state().requested_rechecks() {
            if self.undecided.iter().any(|(noted, _)| *noted == order) {
                continue;
            }
            let mut rechecks = dispatched.iter().filter(|it| is_recheck(it, &order));
            let asking = rechecks.next().map(|entry| entry.n());
            let asking = asking.or_else(|| last_of_round(after, dispatched));
            self.undecided.push((order, asking.unwrap_or(0)));
        }
    }

    /// Returns the orders whose access is undecided, each with the number of the entry that asked
    /// for a decision.
    pub(super) fn undecided_orders(&mut self) -> Vec<(OrderId, u64)> {
        let requested = self.session.state().requested_rechecks();
        let is_requested = |order: &OrderId| requested.iter().any(|(it, _)| it == order);
        self.undecided.retain(|(order, _)| is_requested(order));
        self.note_undecided(0, &[]);
        self.undecided.clone()
    }

    /// Decides one of the rechecks.
    pub(super) fn decide(&mut self, index: usize, allowed: bool) {
        if !allowed {
            return self.revoke_room(index, "access_revoked");
        }
        if let Some((order, request)) = self.recheck_to_decide(index) {
            self.session.state().finish_recheck(&order, request);
        }
    }

    /// Ends one of the rechecks, which the policy could not decide.
    pub(super) fn give_up(&mut self, index: usize) {
        self.revoke_room(index, "unavailable");
    }

    fn revoke_room(&mut self, index: usize, reason: &'static str) {
        if let Some((order, request)) = self.recheck_to_decide(index) {
            self.end_membership(&Room::Order(order.clone()));
            self.session
                .revoke_room(&self.node, &order, request, reason);
        }
    }

    /// Returns one of the rechecks to decide. A session that is starting decides later.
    fn recheck_to_decide(&self, index: usize) -> Option<(OrderId, RecheckRequest)> {
        if self.is_starting() {
            return None;
        }
        let requested = self.session.state().requested_rechecks();
        let last = requested.len().checked_sub(1)?;
        requested.into_iter().nth(index.min(last))
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.session.state().phase(), Phase::Live(_))
    }

    /// Returns whether a step is under way that has begun the start.
    fn is_starting(&self) -> bool {
        matches!(self.session.state().phase(), Phase::Starting(_))
    }

    /// Takes a step, if the session's task would. The start takes two: it waits for policies and
    /// for the log.
    pub(super) fn step(&mut self) {
        if self.is_starting() {
            return self.complete_start();
        }
        let is_before_start = self.session.state().cursor().is_none();
        if is_before_start {
            return self.begin_start();
        }
        let waits = self.session.state().waits_for_rechecks();
        if waits {
            return;
        }
        self.session.reset_if_history_is_lost(&self.node);
        let from = self.session.state().cursor().unwrap();
        let reaches = self.node.window().recent().reaches(from);
        if reaches {
            self.session.replay_window(&self.node);
        } else {
            self.begin_read();
            self.end_read();
        }
    }

    pub(super) fn begin_read(&mut self) {
        let may_replay = self.session.state().replay_limit().is_some();
        let Some(read) = self.session.next_page_read(&self.node) else {
            return;
        };
        // One step at a time, as in the session's task.
        if may_replay && self.read.is_none() && read.from < self.node.window().head().n() {
            let page = self.read_log(Some(&read.rooms), read.from, 3);
            self.read = Some((read, page));
        }
    }

    pub(super) fn end_read(&mut self) {
        if let Some((read, page)) = self.read.take() {
            self.session.replay_page(&self.node, &read, &page);
        }
    }

    pub(super) fn write(&self, count: u64) {
        let written = self.port.0.load(Ordering::SeqCst);
        self.port
            .0
            .store((written + count).min(self.taken), Ordering::SeqCst);
    }

    /// Takes what is queued, as the socket would.
    pub(super) fn take(&mut self) {
        while let Some(outgoing) = self.session.take() {
            self.taken += 1;
            self.client.is_sent(outgoing, || self.session.rooms());
        }
    }

    /// Begins a new epoch of the log while the node runs.
    pub(super) fn new_epoch(&mut self) -> Result<(), String> {
        // The client's events of the old epoch are checked now: later only the new one counts.
        self.client.receives(usize::MAX)?;
        self.client.check_so_far()?;
        self.log.begin_new_epoch();
        self.client.forgets_what_was_appended();
        self.undecided.clear();
        self.read = None;
        self.dispatch(1);
        Ok(())
    }

    /// Dispatches, allows, writes, catches up and receives everything, and checks the client.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.session.state().stop_awaiting_resume();
        self.session.state().end_join_pause();
        self.end_read();
        let mut rounds = 0;
        while self.node.window().head() != now(self.log.head()).unwrap().position
            || !self.is_live()
            || self.has_fences()
        {
            self.dispatch(64);
            self.check_end()?;
            self.decide(0, true);
            self.advance_fences();
            self.take();
            self.write(64);
            self.client.receives(64)?;
            self.step();
            rounds += 1;
            if rounds > 1_000 {
                return Err("it never goes live, or never answers".to_owned());
            }
        }
        self.take();
        self.client.receives(usize::MAX)?;
        self.client.fences.check()?;
        self.client.check_all()
    }
}

fn is_recheck(entry: &Entry, order: &OrderId) -> bool {
    matches!(entry.kind(), EntryKind::Control(Control::Recheck(rechecked)) if rechecked == order)
}

/// Returns the last entry that may make every session decide again: it cannot be read, or follows a
/// hole. A round serves several of them, so that the earlier ones may ask for nothing.
fn last_of_round(after: u64, dispatched: &[Arc<Entry>]) -> Option<u64> {
    let mut expected = after;
    let unclear = dispatched.iter().filter(|entry| {
        expected += 1;
        let has_gap = entry.n() != std::mem::replace(&mut expected, entry.n());
        has_gap || *entry.kind() == EntryKind::Unreadable
    });
    unclear.last().map(|entry| entry.n())
}
