//! Documents of clients, readable and damaged.

use super::{document::Slot, *};
use crate::mongo::earlier;

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
            // It is random.
            written.insert("stamp", slot.stamp.clone());
            assert_eq!(written, stored);
        }
    }
}
