//! Sessions that join, leave and are rechecked while large rooms are offered and several workers
//! deliver.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::task::JoinSet;

use super::large_room::node;
use crate::{
    Identity, MemoryLog, NewEntry, OrderId, Role, Room,
    log::Entry,
    node::{Node, dispatch},
    session::{BeforeStart, EndReason, Outgoing, Phase, Port, Progress, Session, Taken},
};

/// Sessions that only receive: more than are offered an entry, and delivered to, in one go.
const CROWD: usize = 2_000;
/// Sessions that join and leave.
const ACTIVE: usize = 24;
const BATCHES: usize = 150;

/// A port that records what is delivered.
#[derive(Default)]
struct RecordingPort {
    entries: Mutex<Vec<Arc<Entry>>>,
}

impl Port for RecordingPort {
    fn wake(&self) {}

    fn prepare(&self, session: &Session) -> Option<Taken> {
        let mut entries = self.entries.lock();
        Some(session.take_packets(usize::MAX, |packet| {
            if let Outgoing::Entry(entry, _) = packet {
                entries.push(entry);
            }
        }))
    }

    fn progress(&self) -> Option<Progress> {
        None
    }

    fn close(&self, _: EndReason) {}
}

struct Receiver {
    session: Arc<Session>,
    port: Arc<RecordingPort>,
    /// The head of the window when the session was live.
    live_from: u64,
}

async fn connect(node: &Node, user: usize, role: Role) -> Receiver {
    let port = Arc::new(RecordingPort::default());
    let identity = Identity::new(format!("u{user}").parse().unwrap(), role);
    let phase = Phase::NotBegun(BeforeStart::default());
    let session = Arc::new(Session::new(node, identity, None, phase, port.clone()));
    assert!(node.register(&session).is_ok());
    session.catch_up(node).await;
    Receiver {
        session,
        port,
        live_from: node.window().head().n(),
    }
}

fn order(index: usize) -> OrderId {
    format!("o{index}").parse().unwrap()
}

fn is_in(entry: &Entry, room: &Room) -> bool {
    entry.is_event() && entry.content().rooms().contains(room)
}

impl Receiver {
    /// Does what the session's task would do now.
    async fn drive(&self, node: &Node) {
        loop {
            let rechecks = self.session.state().begin_rechecks();
            for recheck in rechecks {
                self.session.decide_recheck(node, recheck).await;
            }
            let can_step = self.session.state().can_step();
            if !can_step {
                break;
            }
            self.session.catch_up(node).await;
        }
        self.port.prepare(&self.session);
    }

    async fn drive_for(&self, node: &Node, turns: usize) {
        for _ in 0..turns {
            self.drive(node).await;
            tokio::task::yield_now().await;
        }
        self.drive(node).await;
    }

    async fn join(&self, node: &Node, order: &OrderId, at_cursor: bool) {
        let joined = node.admit_to_room(&self.session, order, |session, room| {
            if at_cursor {
                session.join_at_cursor(node, room);
            } else {
                session.join_at_head(node, room);
            }
        });
        joined.await.unwrap();
        self.session.state().end_join_pause();
    }

    /// Joins an order's room, stays for a while and leaves it, again and again.
    async fn join_and_leave(&self, node: &Node, rng: &mut StdRng, is_over: &AtomicBool) {
        while !is_over.load(Ordering::SeqCst) {
            let order = order(rng.random_range(0..3));
            let room = Room::Order(order.clone());
            self.join(node, &order, rng.random_bool(0.5)).await;
            let joined_at = node.window().head().n();
            self.drive_for(node, rng.random_range(0..40)).await;
            let left_at = self.session.state().cursor().unwrap();
            node.leave(&self.session, &room);
            self.session.state().leave(&room);
            self.drive(node).await;
            self.check_room(node, &room, joined_at + 1..=left_at);
            let received = self.port.entries.lock().len();
            self.drive_for(node, rng.random_range(0..10)).await;
            for entry in &self.port.entries.lock()[received..] {
                let after = "came after the room was left";
                assert!(is_in(entry, &Room::Everyone), "{} {after}", entry.n());
            }
        }
    }

    /// Checks that nothing of the room is missing while the session was in it.
    fn check_room(&self, node: &Node, room: &Room, stay: RangeInclusive<u64>) {
        let entries = self.port.entries.lock();
        let recent = node.window().recent();
        let wanted = recent
            .entries()
            .map(|entry| (entry.n(), is_in(entry, room)))
            .filter(|(n, is_in_room)| *is_in_room && stay.contains(n));
        for (n, _) in wanted {
            let has_come = entries.iter().any(|entry| entry.n() == n);
            assert!(has_come, "{n} of {room:?} is missing, {stay:?}");
        }
    }

    /// Checks that everything came in order and once, and all that was for everyone.
    fn check_all(&self, sent: &[Arc<Entry>]) {
        let entries = self.port.entries.lock();
        assert!(entries.iter().is_sorted_by(|a, b| a.n() < b.n()));
        let to_everyone = |entry: &&Arc<Entry>| is_in(entry, &Room::Everyone);
        let received = entries.iter().filter(to_everyone).map(|entry| entry.n());
        let sent = sent.iter().filter(to_everyone).map(|entry| entry.n());
        let received: Vec<u64> = received.filter(|n| *n > self.live_from).collect();
        let sent: Vec<u64> = sent.filter(|n| *n > self.live_from).collect();
        assert_eq!(received, sent);
    }
}

/// Returns some entries, to everyone, to orders' rooms or to both, and requests to decide access
/// again.
fn batch(rng: &mut StdRng) -> Vec<NewEntry> {
    let entries = (0..rng.random_range(1..20)).map(|n| {
        let room = Room::Order(order(rng.random_range(0..3)));
        let rooms = match rng.random_range(0..20) {
            0..5 => vec![Room::Everyone],
            5..10 => vec![Room::Everyone, room],
            10..15 => vec![room, Room::Role(Role::Customer)],
            15 => return NewEntry::recheck(order(0)),
            _ => vec![room],
        };
        NewEntry::event(rooms, ("e", json!({ "n": n }))).unwrap()
    });
    entries.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_that_join_and_leave_while_a_large_room_is_offered_miss_nothing_of_theirs() {
    let log = MemoryLog::default();
    let node = Arc::new(node(&log));
    let mut crowd = Vec::new();
    for user in 0..CROWD {
        crowd.push(connect(&node, user, Role::Customer).await);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let mut active = JoinSet::new();
    for user in CROWD..CROWD + ACTIVE {
        let node = Arc::clone(&node);
        let is_over = Arc::clone(&is_over);
        active.spawn(async move {
            let receiver = connect(&node, user, Role::Admin).await;
            let mut rng = StdRng::seed_from_u64(user as u64);
            receiver.join_and_leave(&node, &mut rng, &is_over).await;
            receiver
        });
    }
    // On a worker, as the dispatcher.
    let mut dispatching = JoinSet::new();
    let dispatching_node = Arc::clone(&node);
    dispatching.spawn(async move {
        let mut rng = StdRng::seed_from_u64(0);
        for _ in 0..BATCHES {
            log.append_now(batch(&mut rng));
            while dispatch(&dispatching_node).await.unwrap() {}
        }
    });
    dispatching.join_all().await;
    is_over.store(true, Ordering::SeqCst);
    let sent: Vec<Arc<Entry>> = node.window().recent().entries().cloned().collect();
    for receiver in active.join_all().await.iter().chain(&crowd) {
        receiver.drive(&node).await;
        receiver.check_all(&sent);
    }
}
