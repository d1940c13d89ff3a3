//! The ledger, tested against a model of real phones.

use std::collections::BTreeSet;

use super::*;
use crate::{
    Identity, Role,
    device::{LIFE_MS, record::any},
    values::Epoch,
};
use proptest::prelude::*;

const EPOCH: Epoch = Epoch::from_bits(1);

fn key() -> DeviceKey {
    let mut identity = Identity::new("u1".parse().unwrap(), Role::Customer);
    identity.token_id = Some("t".to_owned());
    DeviceKey::new(&identity, None).unwrap()
}

fn sign(pongs: u64) -> SignOfLife {
    SignOfLife {
        pongs,
        active_at: 0,
    }
}

fn at(n: u64) -> Position {
    Position {
        epoch: EPOCH,
        check: 0,
        n,
    }
}

/// A real phone: the number up to which it has received everything, and its connection if that is
/// unbroken, with the number of its pongs.
#[derive(Default)]
struct Phone {
    received: Option<u64>,
    connection: Option<(SessionId, u64)>,
}

struct World {
    ledger: Ledger,
    stored: Option<DeviceRecord>,
    head: u64,
    now: i64,
    /// Broken connections that the server still takes for live ones.
    ghosts: Vec<SessionId>,
}

impl World {
    fn new() -> Self {
        Self {
            ledger: Ledger::default(),
            stored: None,
            head: 0,
            now: 0,
            ghosts: Vec::new(),
        }
    }

    fn save(&mut self) {
        if let Some((_, record)) = self.ledger.take_changed(self.now).pop() {
            self.stored = Some(record);
        }
        self.ledger.forget_stored();
    }

    /// Connects the phone and returns the number from which the server continues.
    fn connect(&mut self, phone: &mut Phone) -> Option<u64> {
        self.ghosts
            .extend(phone.connection.take().map(|(session, _)| session));
        let session = SessionId::random();
        self.ledger.learn(&key(), self.stored.clone());
        let found = self.ledger.connect(&key(), session, sign(0), &[]);
        let from = found.map(|(position, _)| position.n());
        phone.connection = Some((session, 0));
        let start = from.unwrap_or(self.head);
        self.update(session, start, 0);
        self.save();
        from
    }

    fn update(&mut self, session: SessionId, n: u64, pongs: u64) {
        let progress = progress(n, sign(pongs));
        self.ledger.update(&key(), session, progress);
    }

    /// Has the phone receive everything, and the server learn of it.
    fn confirm(&mut self, phone: &mut Phone) {
        let Some((session, pongs)) = &mut phone.connection else {
            return;
        };
        phone.received = Some(self.head);
        *pongs += 1;
        let session = *session;
        let pongs = *pongs;
        self.update(session, self.head, pongs);
    }

    /// Breaks the phone's line so that the server notices.
    fn lose(&mut self, phone: &mut Phone) {
        if let Some((session, _)) = phone.connection.take() {
            self.now += 1;
            self.ledger.end(&key(), session, self.now, LastSign::Recent);
        }
    }

    /// Has the server notice that a broken connection is dead.
    fn bury(&mut self) {
        if let Some(ghost) = self.ghosts.pop() {
            self.now += 1;
            self.ledger.end(&key(), ghost, self.now, LastSign::LongAgo);
        }
    }

    fn crash(&mut self, phones: &mut [Phone]) {
        self.ledger = Ledger::default();
        self.ghosts.clear();
        for phone in phones {
            phone.connection = None;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Whatever happens to its line and to the server, one phone continues no later than where it
    /// really was, and not before the position that the server last stored.
    #[test]
    fn a_phone_continues_where_it_was(steps in proptest::collection::vec(0u8..7, 0..60)) {
        let mut world = World::new();
        let mut phones = [Phone::default()];
        let mut stored = 0;
        for step in steps {
            world.head += 1;
            match step {
                0 | 1 => {
                    let known = phones[0].received;
                    let from = world.connect(&mut phones[0]);
                    if let Some(known) = known {
                        let in_range = from.is_some_and(|from| (stored..=known).contains(&from));
                        prop_assert!(in_range, "{from:?} for {known}");
                    }
                    if from.is_none() {
                        phones[0].received = Some(world.head);
                    }
                }
                2 | 3 => world.confirm(&mut phones[0]),
                4 => world.lose(&mut phones[0]),
                5 => world.bury(),
                _ => world.crash(&mut phones),
            }
            if step != 6 {
                world.save();
                stored = world.stored.as_ref().map_or(0, |record| record.position.n());
            }
        }
    }

    /// Of two phones with one token, whose lines break so that the server notices, neither
    /// continues later than where it was.
    #[test]
    fn phones_that_share_a_token_miss_nothing(
        steps in proptest::collection::vec((0u8..4, 0usize..2), 0..60),
    ) {
        let mut world = World::new();
        let mut phones = [Phone::default(), Phone::default()];
        // The server knows both before anything happens.
        for phone in &mut phones {
            world.connect(phone);
            world.confirm(phone);
        }
        for (step, which) in steps {
            world.head += 1;
            match step {
                0 | 1 if phones[which].connection.is_none() => {
                    let from = world.connect(&mut phones[which]);
                    prop_assert!(from <= phones[which].received && from.is_some());
                }
                2 => world.confirm(&mut phones[which]),
                3 => world.lose(&mut phones[which]),
                _ => {}
            }
            world.save();
        }
    }
}

proptest! {
    /// The ledger merges by the rule of [`DeviceRecord::merge`], however the records arrive.
    #[test]
    fn records_that_wait_here_are_merged_by_the_one_rule(
        records in proptest::collection::vec(any::record(), 1..6),
        split in 0usize..6,
    ) {
        let expected = records.iter().cloned().reduce(DeviceRecord::merge);
        let mut left = records;
        let later = left.split_off(split.min(left.len()));
        let mut ledger = Ledger::default();
        ledger.learn(&key(), left.pop());
        ledger.adopt(&key(), later);
        ledger.adopt(&key(), left);
        ledger.devices.get_mut(&key()).unwrap().set_changed();
        let stored = ledger.take_changed(0).pop().map(|(_, record)| record);
        prop_assert_eq!(stored, expected);
    }
}

fn progress(n: u64, sign: SignOfLife) -> ClientProgress {
    ClientProgress {
        position: Some(at(n)),
        orders: BTreeSet::new(),
        sign,
    }
}

#[test]
fn a_client_that_stays_connected_is_stored_again_in_time() {
    let mut ledger = Ledger::default();
    let session = SessionId::random();
    ledger.learn(&key(), None);
    ledger.connect(&key(), session, sign(0), &[]);
    ledger.update(&key(), session, progress(1, sign(0)));
    let mut stored = |now| {
        let changed = ledger.take_changed(now).pop();
        changed.map(|(_, record)| record.at)
    };
    assert_eq!(stored(LIFE_MS), Some(LIFE_MS));
    assert_eq!(stored(LIFE_MS + 1), None, "nothing has changed");
    let later = LIFE_MS * 2 - 1;
    assert_eq!(
        stored(later),
        Some(later),
        "otherwise the store would forget it in a moment"
    );
}

#[test]
fn a_position_of_another_epoch_stays_as_it_is() {
    let mut ledger = Ledger::default();
    let old = Position {
        epoch: Epoch::from_bits(9),
        check: 0,
        n: 90,
    };
    let stored = DeviceRecord {
        position: old,
        orders: Vec::new(),
        connections: 2,
        at: 0,
    };
    ledger.learn(&key(), Some(stored));
    let first = ledger.connect(&key(), SessionId::random(), sign(0), &[]);
    assert_eq!(first.map(|(position, _)| position), Some(old));
    let second = ledger.connect(&key(), SessionId::random(), sign(0), &[]);
    assert_eq!(second.map(|(position, _)| position), Some(old));
}

fn record_at(position: Position) -> DeviceRecord {
    DeviceRecord {
        position,
        orders: Vec::new(),
        connections: 1,
        at: 0,
    }
}

#[test]
fn a_phone_that_may_be_another_continues_from_the_smallest_position_of_all_nodes() {
    let mut ledger = Ledger::default();
    let connect = |ledger: &mut Ledger, elsewhere: &[DeviceRecord]| {
        let found = ledger.connect(&key(), SessionId::random(), sign(0), elsewhere);
        found.map(|(position, _)| position)
    };
    ledger.learn(&key(), Some(record_at(at(50))));
    assert_eq!(connect(&mut ledger, &[]), Some(at(50)));
    assert_eq!(
        connect(&mut ledger, &[record_at(at(5)), record_at(at(70))]),
        Some(at(5))
    );
    let old = Position {
        epoch: Epoch::from_bits(9),
        check: 0,
        n: 90,
    };
    assert_eq!(
        connect(&mut ledger, &[record_at(old)]),
        Some(Position::UNUSABLE),
        "one of the two phones has to reload, and the server cannot know which"
    );
}

#[test]
fn a_record_that_another_node_left_behind_waits_here() {
    let mut ledger = Ledger::default();
    ledger.learn(&key(), Some(record_at(at(50))));
    ledger.adopt(&key(), vec![record_at(at(5))]);
    let record = ledger.take_changed(1).pop().map(|(_, record)| record);
    assert_eq!(
        record,
        Some(DeviceRecord {
            connections: 2,
            ..record_at(at(5))
        })
    );
}

#[test]
fn a_pinned_device_is_not_forgotten() {
    let mut ledger = Ledger::default();
    assert!(!ledger.pin(&key()));
    ledger.learn(&key(), Some(record_at(at(5))));
    assert!(ledger.pin(&key()));
    ledger.forget_stored();
    assert_eq!(ledger.len(), 1);
    ledger.unpin(&key());
    ledger.forget_stored();
    assert_eq!(ledger.len(), 0);
}
