//! The dispatch of entries to a room that is larger than what is offered in one go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use serde_json::json;
use tokio::task::JoinSet;

use super::world::now;
use crate::{
    EventLog as _, Identity, JwtAuthenticator, MemoryLog, NewEntry, Role, Room,
    node::{Node, NodeParts, Window, dispatch},
    session::{
        BeforeStart, EndReason, Outgoing, Phase, Port, Progress, Session, SilentPort, Taken,
    },
};

const SESSIONS: usize = 3_000;

pub(super) fn node(log: &MemoryLog) -> Node {
    let window = Window::new(now(log.head()).unwrap().position);
    let authenticator = JwtAuthenticator::hs256("a secret that signs nothing here").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        ..NodeParts::default()
    };
    Node::new(window, Arc::new(authenticator), parts)
}

fn connect(node: &Node, user: usize, port: Arc<dyn Port>) -> Arc<Session> {
    let identity = Identity::new(format!("u{user}").parse().unwrap(), Role::Customer);
    let phase = Phase::NotBegun(BeforeStart::default());
    let session = Arc::new(Session::new(node, identity, None, phase, port));
    node.register(&session).unwrap();
    session
}

/// Connects sessions and makes them live. They have taken nothing of what follows.
async fn crowd(node: &Node, port: &Arc<impl Port + 'static>) -> Vec<Arc<Session>> {
    let mut sessions = Vec::new();
    for user in 0..SESSIONS {
        let session = connect(node, user, port.clone());
        session.catch_up(node).await;
        entries(&session);
        sessions.push(session);
    }
    sessions
}

fn append(log: &MemoryLog, n: usize) {
    let rooms = [Room::Everyone, Room::Role(Role::Customer)];
    log.append_now(vec![
        NewEntry::event(rooms, ("e", json!({ "n": n }))).unwrap(),
    ]);
}

/// Takes what is queued for a session. Returns the numbers of the entries.
fn entries(session: &Session) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(packet) = session.take() {
        if let Outgoing::Entry(entry, _) = packet {
            numbers.push(entry.n());
        }
    }
    numbers
}

/// Sessions connect whenever other tasks run.
async fn connect_meanwhile(node: &Node, is_dispatched: &AtomicUsize) -> Vec<Arc<Session>> {
    let mut connected = Vec::new();
    while is_dispatched.load(Ordering::SeqCst) == 0 {
        let user = SESSIONS + connected.len();
        let session = connect(node, user, Arc::new(SilentPort));
        session.catch_up(node).await;
        connected.push(session);
        tokio::task::yield_now().await;
    }
    connected
}

#[tokio::test]
async fn sessions_that_connect_while_a_large_room_is_offered_take_each_entry_once() {
    let log = MemoryLog::default();
    let node = node(&log);
    let sessions = crowd(&node, &Arc::new(SilentPort)).await;
    for n in 0..3 {
        append(&log, n);
    }
    let dispatched = AtomicUsize::new(0);
    let dispatching = async {
        dispatch(&node).await.unwrap();
        dispatched.store(1, Ordering::SeqCst);
    };
    let ((), connected) = tokio::join!(dispatching, connect_meanwhile(&node, &dispatched));
    assert!(connected.len() > 6, "offering has let other tasks run");
    for session in &sessions {
        assert_eq!(entries(session), [1, 2, 3]);
    }
    // They started while the window had some of the entries, and took the others.
    for session in &connected {
        let numbers = entries(session);
        assert!([1, 2, 3].ends_with(&numbers), "{numbers:?}");
    }
    append(&log, 3);
    dispatch(&node).await.unwrap();
    for session in sessions.iter().chain(&connected) {
        assert_eq!(entries(session), [4], "{:?}", session.state().cursor());
    }
}

/// The writes after which a thread waits for another one. Before, the first one may be alone: a
/// task that it has spawned is taken by another worker when it pauses.
const WRITES_ALONE: usize = 512;

/// A port at which two threads must meet.
#[derive(Default)]
struct MeetingPort {
    threads: Mutex<Vec<ThreadId>>,
    met: Condvar,
    written: AtomicUsize,
}

impl Port for MeetingPort {
    fn wake(&self) {}

    fn prepare(&self, session: &Session) -> Option<Taken> {
        Some(session.take_packets(usize::MAX, drop))
    }

    fn write(&self, _session: &Session, taken: Taken) {
        let written = self.written.fetch_add(taken.entries, Ordering::SeqCst);
        let mut threads = self.threads.lock();
        let this = thread::current().id();
        if !threads.contains(&this) {
            threads.push(this);
            self.met.notify_all();
        }
        while written > WRITES_ALONE && threads.len() < 2 {
            let waited = self.met.wait_for(&mut threads, Duration::from_secs(20));
            assert!(!waited.timed_out(), "one thread writes everything");
        }
    }

    fn progress(&self) -> Option<Progress> {
        None
    }

    fn close(&self, _: EndReason) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_write_the_deliveries_of_a_large_room() {
    let log = MemoryLog::default();
    let port = Arc::new(MeetingPort::default());
    let port_of_task = Arc::clone(&port);
    // On a worker, where the dispatcher runs, too.
    let mut workers = JoinSet::new();
    workers.spawn(async move {
        let node = node(&log);
        let sessions = crowd(&node, &port_of_task).await;
        append(&log, 0);
        dispatch(&node).await.unwrap();
        // Everything is delivered when the dispatcher goes on.
        let written = port_of_task.written.load(Ordering::SeqCst);
        assert_eq!(written, sessions.len());
    });
    workers.join_next().await.unwrap().unwrap();
    assert_eq!(port.threads.lock().len(), 2);
}
