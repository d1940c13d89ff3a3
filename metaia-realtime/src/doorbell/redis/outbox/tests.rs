//! The frames that wait: which of them are dropped, and in which order they leave.

use proptest::prelude::*;
use serde_json::{json, value::to_raw_value};

use super::*;
use crate::{
    Role, Room,
    doorbell::{
        frame::{Frame, FrameBody, Probe, VolatileFrame},
        log_head::LogHead,
        replay_guard::ReplayGuard,
    },
    event::VolatileKey,
    values::{Epoch, NodeId},
};

fn frame(seq: u64, body: FrameBody) -> Vec<u8> {
    let node = NodeId::from_bytes([7; 16]);
    let ts = 0;
    let frame = Frame {
        node,
        seq,
        ts,
        body,
    };
    frame.encode(None).unwrap()
}

fn head() -> LogHead {
    LogHead {
        epoch: Epoch::from_bits(1),
        n: 1,
    }
}

fn probe(seq: u64) -> Vec<u8> {
    frame(seq, FrameBody::Probe(head(), Probe::random()))
}

/// Returns the frame of a volatile event: of a courier's place, for the admins, of `size` bytes.
fn place(seq: u64, courier: u64, size: usize) -> Vec<u8> {
    let event = VolatileFrame {
        at: head(),
        rooms: vec![Room::Role(Role::Admin)],
        name: "courier_at".parse().unwrap(),
        payload: to_raw_value(&json!("x".repeat(size))).unwrap(),
        key: Some(VolatileKey::new(courier)),
    };
    frame(seq, FrameBody::VolatileFrame(event))
}

/// Returns the numbers of the frames that wait, in the order in which they are published.
fn published(outbox: &RedisOutbox) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let batch = outbox.queue.lock().take_all();
        if batch.is_empty() {
            return numbers;
        }
        let frames = batch.iter().map(|frame| Frame::decode(frame, None));
        numbers.extend(frames.map(|frame| frame.unwrap().seq));
    }
}

#[tokio::test]
async fn only_the_newest_notification_waits_for_a_connection() {
    let outbox = RedisOutbox::default();
    for i in 0..1_000 {
        outbox.notify(vec![(i % 256) as u8]);
        outbox.send(place(i, i, 1));
        outbox.send(probe(i));
    }
    assert_eq!(outbox.next().await, [vec![(999 % 256) as u8]]);
    let open = outbox.open();
    outbox.send(place(1, 1, 1));
    outbox.send(probe(2));
    drop(open);
    assert!(outbox.queue.lock().take_all().is_empty());
}

/// Before, the newest frames were dropped: those of the couriers that had moved last.
#[test]
fn the_last_place_of_each_of_200_couriers_waits() {
    let outbox = RedisOutbox::default();
    let _open = outbox.open();
    for seq in 0..2_000 {
        outbox.send(place(seq, seq % 200, 10));
    }
    let published = published(&outbox);
    assert!(published.ends_with(&(1_800..2_000).collect::<Vec<_>>()));
    assert!(published.len() <= 256);
}

#[test]
fn of_more_than_256_keys_the_newest_wait() {
    let outbox = RedisOutbox::default();
    let _open = outbox.open();
    for seq in 0..1_000 {
        outbox.send(place(seq, seq, 10));
    }
    assert_eq!(published(&outbox), (744..1_000).collect::<Vec<_>>());
}

#[test]
fn the_bytes_that_wait_are_bounded_and_the_newest_wait() {
    let outbox = RedisOutbox::default();
    let _open = outbox.open();
    for seq in 0..100 {
        outbox.send(place(seq, seq, 60_000));
    }
    assert_eq!(published(&outbox), (83..100).collect::<Vec<_>>());
}

#[test]
fn a_flood_of_volatile_events_drops_no_probe() {
    let outbox = RedisOutbox::default();
    let _open = outbox.open();
    outbox.send(probe(0));
    for seq in 1..=1_000 {
        outbox.send(place(seq, seq, 10));
    }
    outbox.send(probe(1_001));
    let published = published(&outbox);
    assert_eq!(published.first(), Some(&0));
    assert_eq!(published.last(), Some(&1_001));
}

#[test]
fn a_flood_of_probes_drops_no_volatile_event_and_is_bounded() {
    let outbox = RedisOutbox::default();
    let _open = outbox.open();
    outbox.send(place(0, 1, 10));
    for seq in 1..=10_000 {
        outbox.send(probe(seq));
    }
    let published = published(&outbox);
    assert_eq!(published.first(), Some(&0));
    assert_eq!(published.last(), Some(&10_000));
    assert_eq!(published.len(), 1 + 64);
}

proptest! {
    /// Whatever is sent, and however much of it waits, other nodes accept every published frame,
    /// and the newest event of each of the last 256 keys is published.
    #[test]
    fn other_nodes_accept_every_published_frame(
        sent in proptest::collection::vec((0u64..400, 0u8..200), 0..1_500),
    ) {
        let outbox = RedisOutbox::default();
        let _open = outbox.open();
        let mut guard = ReplayGuard::default();
        let mut newest = Vec::new();
        for (seq, (courier, kind)) in (0..).zip(sent) {
            match kind {
                0 => outbox.send(probe(seq)),
                1 => {
                    let published = published(&outbox);
                    check_last_keys(&published, &mut newest)?;
                    for seq in published {
                        let node = NodeId::from_bytes([7; 16]);
                        prop_assert!(guard.accept(node, seq, 0, 0).is_ok(), "{seq}");
                    }
                }
                _ => {
                    newest.retain(|(other, _)| *other != courier);
                    newest.push((courier, seq));
                    outbox.send(place(seq, courier, 10));
                }
            }
        }
    }
}

/// Checks that the last 256 of the newest events were published, and forgets them.
fn check_last_keys(published: &[u64], newest: &mut Vec<(u64, u64)>) -> Result<(), TestCaseError> {
    for (courier, seq) in newest.drain(..).rev().take(256) {
        prop_assert!(published.contains(&seq), "courier {courier}: {published:?}");
    }
    Ok(())
}
