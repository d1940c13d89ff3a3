//! Couriers whose places are volatile events, at admins who read and at admins who do not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::{json, value::to_raw_value};
use tokio::{
    sync::Notify,
    time::{interval, sleep},
};

use super::world::now;
use crate::{
    EventLog as _, Identity, JwtAuthenticator, MemoryLog, NewEntry, Position, Role, Room,
    event::VolatileKey,
    node::{Node, NodeParts, Window},
    session::{
        BeforeStart, ConnectRequest, EndReason, InboundQueue, Outgoing, Phase, Port, Progress,
        Session, Volatile, drive,
    },
};

const COURIERS: usize = 200;

/// Places of each courier: 10 per second for 10 s.
const PLACES: usize = 100;

/// A packet that the session hands to the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packet {
    Place { courier: usize, i: usize },
    Entry(u64),
    Other,
}

/// A connection that writes when the test says so.
#[derive(Default)]
struct Line {
    wake: Notify,
    handed_over: Mutex<Vec<Packet>>,
    written: AtomicU64,
}

impl Line {
    fn hand_over(&self, packet: &Outgoing) {
        let packet = match packet {
            Outgoing::Entry(entry, _) => Packet::Entry(entry.n()),
            Outgoing::Volatile(event) => {
                let (courier, i) = serde_json::from_str(event.payload.get()).unwrap();
                Packet::Place { courier, i }
            }
            _ => Packet::Other,
        };
        self.handed_over.lock().push(packet);
    }

    /// Writes everything that was handed over.
    fn write(&self) {
        let handed_over = self.handed_over.lock().len() as u64;
        self.written.store(handed_over, Ordering::SeqCst);
        self.wake.notify_one();
    }

    fn written(&self) -> Vec<Packet> {
        let written = self.written.load(Ordering::SeqCst);
        self.handed_over.lock()[..written as usize].to_vec()
    }
}

impl Port for Line {
    fn wake(&self) {
        self.wake.notify_one();
    }
    fn progress(&self) -> Option<Progress> {
        Some(Progress {
            written: self.written.load(Ordering::SeqCst),
            ..Progress::default()
        })
    }
    fn close(&self, _: EndReason) {}
}

struct Office {
    node: Arc<Node>,
    log: MemoryLog,
}

impl Office {
    fn open() -> Self {
        let log = MemoryLog::default();
        let parts = NodeParts {
            log: Arc::new(log.clone()),
            ..NodeParts::default()
        };
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        let window = Window::new(now(log.head()).unwrap().position);
        let node = Arc::new(Node::new(window, Arc::new(authenticator), parts));
        node.run();
        Self { node, log }
    }

    /// Connects an admin who continues after `since`.
    fn connect(&self, since: Option<Position>) -> Arc<Line> {
        let node = Arc::clone(&self.node);
        let request = ConnectRequest {
            since: since.map(Ok),
            ..ConnectRequest::default()
        };
        let phase = Phase::NotBegun(BeforeStart::new(request, Some(node.window().head())));
        let line = Arc::new(Line::default());
        let identity = Identity::new("a1".parse().unwrap(), Role::Admin);
        let session = Session::new(&node, identity, None, phase, Arc::clone(&line) as _);
        let session = Arc::new(session);
        assert!(node.register(&session).is_ok());
        let transport = Arc::clone(&line);
        let (inbound, events) = InboundQueue::new(node.limits());
        node.tasks().clone().spawn(async move {
            let write = |packet| {
                transport.hand_over(&packet);
                Ok(())
            };
            drive(
                session,
                node,
                events,
                &transport.wake,
                &AtomicBool::new(false),
                write,
            )
            .await;
            drop(inbound);
        });
        line
    }

    fn send_place(&self, courier: usize, i: usize) {
        self.node.deliver_volatile(Volatile {
            name: "courier_at".parse().unwrap(),
            payload: to_raw_value(&(courier, i)).unwrap(),
            rooms: vec![Room::Role(Role::Admin)],
            key: Some(VolatileKey::new(courier)),
            frame: std::sync::OnceLock::new(),
        });
    }

    fn publish(&self) -> Position {
        let order = ("order_update", json!({ "status": "ready" }));
        let entry = NewEntry::event([Room::Role(Role::Admin)], order).unwrap();
        self.log.append_now(vec![entry])[0]
    }

    /// All couriers send their places, and five orders change with each round of them.
    async fn work(&self) {
        let mut rounds = interval(Duration::from_millis(100));
        for i in 0..PLACES {
            rounds.tick().await;
            for courier in 0..COURIERS {
                self.send_place(courier, i);
            }
            for _ in 0..5 {
                self.publish();
            }
        }
    }
}

/// Lets a connection write every 10 ms.
async fn write_for(line: &Line, time: Duration) {
    let mut pauses = interval(Duration::from_millis(10));
    for _ in 0..time.as_millis() / 10 {
        pauses.tick().await;
        line.write();
    }
}

fn places_of(packets: &[Packet], courier: usize) -> Vec<usize> {
    let of_courier = |packet: &Packet| match packet {
        Packet::Place { courier: of, i } if *of == courier => Some(*i),
        _ => None,
    };
    packets.iter().filter_map(of_courier).collect()
}

fn entries(packets: &[Packet]) -> Vec<u64> {
    let entry = |packet: &Packet| match packet {
        Packet::Entry(n) => Some(*n),
        _ => None,
    };
    packets.iter().filter_map(entry).collect()
}

/// Returns how many entries came before the last place of a courier.
fn entries_before_last_place(packets: &[Packet], courier: usize) -> usize {
    let is_place =
        |packet: &Packet| matches!(packet, Packet::Place { courier: of, .. } if *of == courier);
    let last = packets.iter().rposition(is_place).unwrap();
    entries(&packets[..last]).len()
}

#[tokio::test(start_paused = true)]
async fn an_admin_who_keeps_up_receives_every_place_of_every_courier() {
    let office = Office::open();
    let line = office.connect(None);
    tokio::join!(office.work(), write_for(&line, Duration::from_secs(11)));
    let packets = line.written();
    let all: Vec<usize> = (0..PLACES).collect();
    for courier in 0..COURIERS {
        assert_eq!(places_of(&packets, courier), all, "courier {courier}");
    }
    assert_eq!(entries(&packets), (1..=500).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_admin_who_stalls_loses_no_logged_event_and_no_last_place() {
    let office = Office::open();
    let stalled = office.connect(None);
    let reading = office.connect(None);
    tokio::join!(office.work(), write_for(&reading, Duration::from_secs(11)));
    assert_eq!(entries(&reading.written()).len(), 500);
    assert!(stalled.handed_over.lock().len() <= 32);

    write_for(&stalled, Duration::from_secs(1)).await;
    let packets = stalled.written();
    assert_eq!(entries(&packets), (1..=500).collect::<Vec<_>>());
    for courier in 0..COURIERS {
        let places = places_of(&packets, courier);
        assert_eq!(places.last(), Some(&(PLACES - 1)), "courier {courier}");
        let before = entries_before_last_place(&packets, courier);
        assert!(before <= 32, "{before} entries before courier {courier}");
    }
    let stale = packets.len() - 500 - COURIERS;
    assert!(stale <= 33, "{stale} old places");
}

#[tokio::test(start_paused = true)]
async fn an_admin_who_catches_up_receives_the_newest_places_among_the_entries() {
    let office = Office::open();
    let since = office.publish();
    for _ in 0..1_000 {
        office.publish();
    }
    sleep(Duration::from_millis(10)).await;
    let line = office.connect(Some(since));
    // The session's task has not run yet.
    for (courier, i) in [(0, 1), (1, 1), (0, 2)] {
        office.send_place(courier, i);
    }
    write_for(&line, Duration::from_secs(1)).await;
    let packets = line.written();
    assert_eq!(entries(&packets), (2..=1_001).collect::<Vec<_>>());
    assert_eq!(places_of(&packets, 0), [2]);
    assert_eq!(places_of(&packets, 1), [1]);
    for courier in [0, 1] {
        assert!(entries_before_last_place(&packets, courier) <= 32);
    }
}

/// A client that reads slowly is written each key in turn.
#[tokio::test(start_paused = true)]
async fn every_courier_has_a_turn_at_an_admin_who_reads_slowly() {
    let office = Office::open();
    let line = office.connect(None);
    let slow = async {
        let mut pauses = interval(Duration::from_millis(500));
        for _ in 0..20 {
            pauses.tick().await;
            line.write();
        }
    };
    tokio::join!(office.work(), slow);
    let packets = line.written();
    let shown = (0..COURIERS).filter(|courier| places_of(&packets, *courier).len() > 1);
    assert_eq!(shown.count(), COURIERS, "{} packets", packets.len());
}
