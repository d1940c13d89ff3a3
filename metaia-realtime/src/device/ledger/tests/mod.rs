//! The ledger: its rules one by one. Models of real clients are in the files of this folder.

mod clients;
mod nodes;

use std::collections::BTreeSet;

use super::{connection::CLAIM_GRACE_MS, *};
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
    SignOfLife { pongs, heard_at: 0 }
}

fn at(n: u64) -> Position {
    Position {
        epoch: EPOCH,
        check: 0,
        n,
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
    ledger.connect(&key(), session, sign(0), &[], 0);
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
        connected: 0,
        at: 0,
    };
    ledger.learn(&key(), Some(stored));
    let first = ledger.connect(&key(), SessionId::random(), sign(0), &[], 0);
    assert_eq!(first.map(|(position, _)| position), Some(old));
    let second = ledger.connect(&key(), SessionId::random(), sign(0), &[], 0);
    assert_eq!(second.map(|(position, _)| position), Some(old));
}

fn record_at(position: Position) -> DeviceRecord {
    DeviceRecord {
        position,
        orders: Vec::new(),
        connections: 1,
        connected: 0,
        at: 0,
    }
}

#[test]
fn a_phone_that_may_be_another_continues_from_the_smallest_position_of_all_nodes() {
    let mut ledger = Ledger::default();
    let connect = |ledger: &mut Ledger, elsewhere: &[DeviceRecord]| {
        let found = ledger.connect(&key(), SessionId::random(), sign(0), elsewhere, 0);
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

/// The tabs of one browser, of which the ledger cannot tell which one connects.
struct Tabs(Ledger);

impl Tabs {
    /// Begins a connection, and returns its session with the position from which it continues.
    fn connect(&mut self, now: i64) -> (SessionId, Option<u64>) {
        let session = SessionId::random();
        let found = self.0.connect(&key(), session, sign(0), &[], now);
        (session, found.map(|(position, _)| position.n()))
    }

    fn confirm(&mut self, session: SessionId, n: u64, pongs: u64) {
        self.0.update(&key(), session, progress(n, sign(pongs)));
    }

    fn end(&mut self, session: SessionId, now: i64, last_sign: LastSign) {
        self.0.end(&key(), session, now, last_sign);
    }

    /// Begins two connections, long before time 0. They have received everything up to 5 and up to
    /// 7.
    fn two() -> (Self, SessionId, SessionId) {
        let mut tabs = Self(Ledger::default());
        let (one, _) = tabs.connect(-CLAIM_GRACE_MS);
        tabs.confirm(one, 5, 1);
        let (other, _) = tabs.connect(-CLAIM_GRACE_MS);
        tabs.confirm(other, 7, 1);
        tabs.confirm(one, 5, 2);
        (tabs, one, other)
    }
}

/// Both lines break silently, as in a notebook that changes its network.
#[test]
fn of_two_silent_connections_the_smaller_position_stays_until_both_clients_are_back() {
    let (mut tabs, ..) = Tabs::two();
    let (first, from) = tabs.connect(0);
    assert_eq!(from, Some(5));
    tabs.confirm(first, 20, 1);
    let second = tabs.connect(CLAIM_GRACE_MS).1;
    assert_eq!(second, Some(5), "it may be the client that had 5 or 7");
}

#[test]
fn the_order_in_which_silent_connections_are_found_dead_does_not_matter() {
    for reversed in [false, true] {
        let (mut tabs, one, other) = Tabs::two();
        let (first, _) = tabs.connect(0);
        tabs.confirm(first, 20, 1);
        let mut dead = [one, other];
        if reversed {
            dead.reverse();
        }
        for session in dead {
            tabs.end(session, 1, LastSign::LongAgo);
        }
        assert_eq!(tabs.connect(CLAIM_GRACE_MS).1, Some(5));
    }
}

#[test]
fn once_both_are_back_nothing_is_left_of_the_silent_connections() {
    let (mut tabs, one, other) = Tabs::two();
    let (first, _) = tabs.connect(0);
    let (second, _) = tabs.connect(0);
    tabs.end(one, 1, LastSign::LongAgo);
    tabs.end(other, 1, LastSign::LongAgo);
    tabs.confirm(first, 20, 1);
    tabs.confirm(second, 21, 1);
    let now = CLAIM_GRACE_MS;
    let stored = tabs.0.take_changed(now).pop().map(|(_, record)| record);
    let expected = DeviceRecord {
        connections: 2,
        connected: 2,
        at: now,
        ..record_at(at(20))
    };
    assert_eq!(stored, Some(expected));
}

/// The client of 5 is awaited. That of 9, whose line is silently dead, comes first.
#[test]
fn a_position_that_waits_is_not_given_up_for_a_client_whose_line_broke_silently() {
    let (mut tabs, one, other) = Tabs::two();
    tabs.end(one, 0, LastSign::Recent);
    tabs.confirm(other, 9, 2);
    let (first, from) = tabs.connect(0);
    assert_eq!(from, Some(5));
    tabs.confirm(first, 20, 1);
    tabs.end(other, 1, LastSign::LongAgo);
    assert_eq!(tabs.connect(CLAIM_GRACE_MS).1, Some(5));
}

#[test]
fn a_position_that_waited_for_a_day_counts_no_longer() {
    let (mut tabs, one, other) = Tabs::two();
    tabs.end(one, 10, LastSign::Recent);
    tabs.confirm(other, 9, 3);
    let stored = |tabs: &mut Tabs, now| {
        let record = tabs.0.take_changed(now).pop();
        record.map(|(_, record)| (record.position.n(), record.connections))
    };
    assert_eq!(stored(&mut tabs, LIFE_MS + 9), Some((5, 2)));
    assert_eq!(stored(&mut tabs, 2 * LIFE_MS), Some((9, 1)));
    assert_eq!(tabs.connect(2 * LIFE_MS).1, Some(9));
}

/// So that a store can compare it with the time at which a client came to another node.
#[test]
fn the_record_of_a_silent_connection_is_of_the_time_of_its_last_sign() {
    let mut tabs = Tabs(Ledger::default());
    let (session, _) = tabs.connect(0);
    let last = SignOfLife {
        pongs: 1,
        heard_at: 40,
    };
    tabs.0.update(&key(), session, progress(5, last));
    tabs.end(session, 99, LastSign::LongAgo);
    let stored = tabs.0.take_changed(99).pop().map(|(_, record)| record.at);
    assert_eq!(stored, Some(40));
}

/// A tab has lost its line, and its user opens another one.
#[test]
fn a_new_client_takes_no_position_from_one_that_comes_back_soon() {
    let mut tabs = Tabs(Ledger::default());
    let (lost, _) = tabs.connect(0);
    tabs.confirm(lost, 5, 1);
    tabs.end(lost, 0, LastSign::Recent);
    let (new, _) = tabs.connect(10);
    tabs.confirm(new, 20, 1);
    let soon = 9 + CLAIM_GRACE_MS;
    assert_eq!(tabs.connect(soon).1, Some(5));
}

#[test]
fn a_position_that_was_claimed_counts_no_longer_after_two_minutes() {
    let mut tabs = Tabs(Ledger::default());
    let (lost, _) = tabs.connect(0);
    tabs.confirm(lost, 5, 1);
    tabs.end(lost, 0, LastSign::Recent);
    let (back, _) = tabs.connect(10);
    tabs.confirm(back, 20, 1);
    let stored = |tabs: &mut Tabs, now| {
        let record = tabs.0.take_changed(now).pop();
        record.map(|(_, record)| record.position.n())
    };
    assert_eq!(stored(&mut tabs, 11), Some(5));
    let later = 10 + CLAIM_GRACE_MS;
    assert_eq!(stored(&mut tabs, later), Some(20));
    assert_eq!(stored(&mut tabs, later + 1), None);
    assert_eq!(tabs.connect(later).1, Some(20));
}

#[test]
fn a_client_that_leaves_again_at_once_is_awaited_where_it_was() {
    let mut tabs = Tabs(Ledger::default());
    let (first, _) = tabs.connect(0);
    tabs.confirm(first, 5, 1);
    tabs.end(first, 0, LastSign::Recent);
    let (second, _) = tabs.connect(1);
    tabs.confirm(second, 8, 1);
    tabs.end(second, 2, LastSign::Recent);
    assert_eq!(tabs.connect(3).1, Some(8));
}
