//! Documents of clients, readable and damaged.

use super::*;

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
