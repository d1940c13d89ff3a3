//! The outbox against a naive transport: entries, volatile events, and what is written of them.

use std::{collections::VecDeque, sync::Arc};

use proptest::prelude::*;
use serde_json::{json, value::to_raw_value};

use super::world::room;
use crate::{
    Limits, NewEntry, Position,
    event::VolatileKey,
    log::Entry,
    session::{Outgoing, Progress, Volatile, outbox::Outbox},
    values::Epoch,
};

/// As many keys as may wait.
const KEYS: u8 = 4;

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Action {
    Publish,
    Send {
        key: u8,
        is_live: bool,
    },
    /// The session's task runs.
    Take,
    /// The transport writes up to this many packets.
    Write(usize),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        5 => Just(Action::Publish),
        2 => (0..KEYS, any::<bool>()).prop_map(|(key, is_live)| Action::Send { key, is_live }),
        4 => Just(Action::Take),
        4 => (1usize..20).prop_map(Action::Write),
    ]
}

/// An outbox, what its transport holds, and what it has written.
struct World {
    outbox: Outbox,
    held: VecDeque<Outgoing>,
    entries: u64,
    /// Of each key, the last event, and how many entries were written when it was sent.
    sent: [Option<(u64, u64)>; KEYS as usize],
    /// Of each key, the last event that was written.
    shown: [Option<u64>; KEYS as usize],
    published: u64,
    volatile: u64,
    packets: u64,
}

impl World {
    fn new() -> Self {
        let limits = Limits {
            volatile_waiting: KEYS.into(),
            ..Limits::default()
        };
        Self {
            outbox: Outbox::new(&limits),
            held: VecDeque::new(),
            entries: 0,
            sent: [None; KEYS as usize],
            shown: [None; KEYS as usize],
            published: 0,
            volatile: 0,
            packets: 0,
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Publish => self.publish(),
            Action::Send { key, is_live } => self.send(key, is_live),
            Action::Take => {
                while let Some(packet) = self.outbox.take(usize::MAX, true) {
                    self.held.push_back(packet);
                }
            }
            Action::Write(count) => self.write(count),
        }
    }

    fn publish(&mut self) {
        let entry = NewEntry::event([room(0)], ("e", json!({}))).unwrap();
        let n = self.published + 1;
        let entry = Entry::new(Epoch::from_bits(1), n, 0, entry);
        if self.outbox.has_credit(entry.content().size()) {
            self.published = n;
            self.outbox.push(Outgoing::Entry(Arc::new(entry), None));
        }
    }

    fn send(&mut self, key: u8, is_live: bool) {
        self.volatile += 1;
        self.sent[usize::from(key)] = Some((self.volatile, self.entries));
        let event = Volatile {
            name: "at".parse().unwrap(),
            payload: to_raw_value(&(key, self.volatile)).unwrap(),
            rooms: vec![room(0)],
            key: Some(VolatileKey::new(key)),
            frame: std::sync::OnceLock::new(),
        };
        let _ = self
            .outbox
            .offer_volatile(&Arc::new(event), &room(0), is_live);
    }

    fn write(&mut self, count: usize) {
        for packet in self.held.drain(..count.min(self.held.len())) {
            self.packets += 1;
            match packet {
                Outgoing::Entry(entry, _) => {
                    assert_eq!(entry.n(), self.entries + 1, "entries come in order");
                    self.entries = entry.n();
                }
                Outgoing::Volatile(event) => {
                    let (key, number): (usize, u64) =
                        serde_json::from_str(event.payload.get()).unwrap();
                    assert!(self.shown[key] < Some(number), "in the order of sending");
                    self.shown[key] = Some(number);
                }
                other => unreachable!("{other:?}"),
            }
        }
        self.outbox.apply_progress(Progress {
            written: self.packets,
            ..Progress::default()
        });
        let position = self.outbox.confirmed().written().map(Position::n);
        assert_eq!(position.unwrap_or(0), self.entries, "what was written");
        self.check_volatile();
    }

    /// Checks that no event waits longer than it may.
    fn check_volatile(&self) {
        for (sent, shown) in self.sent.iter().zip(self.shown) {
            let Some((number, entries)) = *sent else {
                continue;
            };
            let waited = self.entries - entries;
            assert!(
                shown == Some(number) || waited <= 32,
                "{waited} entries were written before an event"
            );
        }
    }
}

proptest! {
    #[test]
    fn entries_keep_their_order_and_the_newest_of_each_key_follows_soon(
        actions in prop::collection::vec(action(), 0..400),
    ) {
        let mut world = World::new();
        for action in actions {
            world.act(action);
        }
        for _ in 0..50 {
            world.act(Action::Take);
            world.act(Action::Write(usize::MAX));
        }
        prop_assert_eq!(world.entries, world.published);
        let last = world.sent.map(|sent| sent.map(|(number, _)| number));
        prop_assert_eq!(world.shown, last);
        prop_assert_eq!(world.outbox.in_flight(), 0);
    }
}
