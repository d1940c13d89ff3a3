//! Documents of clients, readable and damaged.

use super::{document::Slot, *};
use crate::mongo::earlier;
use mongodb::bson::doc;

#[test]
fn a_slot_that_cannot_be_read_leads_to_a_reset() {
    let broken = [
        Bson::Null,
        7.into(),
        doc! { "position": "x" }.into(),
        doc! { "stamp": 1 }.into(),
    ];
    for slots in broken
        .iter()
        .map(|slot| Bson::Array(vec![slot.clone()]))
        .chain([Bson::Null])
    {
        let found = DeviceDocument::read(&doc! { "slots": slots }, 0);
        assert_eq!(found.slots.len(), 1);
        assert_eq!(
            (found.slots[0].by, found.slots[0].record.position.n()),
            (None, 0)
        );
        assert!(found.slots[0].is_left(&[]));
    }
}

#[test]
fn a_slot_of_an_earlier_version_is_the_same() {
    for stored in earlier::documents("mongodb/rt_device") {
        let found = DeviceDocument::read(&stored, 0);
        let slots = stored.get_array("slots").unwrap();
        assert_eq!(found.slots.len(), slots.len());
        for (slot, stored) in found.slots.iter().zip(slots) {
            let mut stored = stored.as_document().unwrap().clone();
            assert!(stored.remove("saved").is_some());
            let is_connected = stored.get_bool("here").unwrap();
            let written = Slot::document(slot.by.unwrap(), &slot.record, is_connected);
            let parts = written.get_array("$mergeObjects").unwrap();
            let literal = parts[0].as_document().unwrap();
            let mut written = literal.get_document("$literal").unwrap().clone();
            assert!(written.remove("connected").is_some());
            // It is random.
            written.insert("stamp", slot.stamp.clone());
            assert_eq!(slot.heard_at, slot.record.at);
            assert_eq!(written, stored);
        }
    }
}

/// A node of version 79f6e03 removes the slots of others, but not their copies.
#[test]
fn a_copy_counts_if_its_slot_is_gone() {
    let slot = |by: u8, stamp: i32, n: u64| {
        doc! {
            "by": NodeId::from_bytes([by; 16]).to_string(),
            "stamp": stamp,
            "here": true,
            "position": format!("00000000000000e1-0a1b2c3d.{n}"),
            "orders": "",
            "connections": 1_i64,
            "at": 1_i64,
            "saved": mongodb::bson::DateTime::from_millis(1),
        }
    };
    let stored = doc! {
        "slots": [slot(1, 1, 9), slot(2, 2, 7)],
        "copies": [slot(2, 2, 7), slot(3, 3, 5)],
    };
    let found = DeviceDocument::read(&stored, 0);
    let positions: Vec<u64> = found
        .slots
        .iter()
        .map(|slot| slot.record.position.n())
        .collect();
    assert_eq!(positions, [9, 7, 5]);
}
