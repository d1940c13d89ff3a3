//! The document of a client: its slots, and the record that they stand for together.

use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

use crate::{device::DeviceRecord, mongo::bson::from_uuid, presence::LEASE, values::NodeId};

/// The document of a client.
#[derive(Debug)]
pub(super) struct DeviceDocument {
    /// The node that a device connected to last.
    pub(super) owner: Option<NodeId>,
    pub(super) slots: Vec<Slot>,
}

/// The part of the document that one node has saved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    /// The node; `None` if the slot cannot be read.
    pub(super) by: Option<NodeId>,
    /// A random value, new with each save; null if it cannot be read.
    pub(super) stamp: Bson,
    /// True if phones of the client were connected to the node when it saved.
    is_connected: bool,
    /// True if the save is so long ago that a lease from then would have ended.
    is_older_than_lease: bool,
    pub(super) record: DeviceRecord,
}

impl DeviceDocument {
    /// Reads a document, without slots that were not saved after `oldest`, in ms since the Unix
    /// epoch. The document has the server's time in `now`.
    pub(super) fn read(document: &Document, oldest: i64) -> Self {
        let owner = document
            .get_str("owner")
            .ok()
            .and_then(|owner| owner.parse().ok());
        let now = document
            .get_datetime("now")
            .map_or(0, |now| now.timestamp_millis());
        let mut slots = match document.get_array("slots") {
            Ok(slots) => slots.iter().map(|slot| Slot::read(slot, now)).collect(),
            Err(_) => vec![Slot::read(&Bson::Null, now)],
        };
        slots.retain(|slot| slot.record.at > oldest);
        Self { owner, slots }
    }
}

impl Slot {
    /// Reads a slot. One that cannot be read stands for a client that must reload.
    fn read(slot: &Bson, now: i64) -> Self {
        if let Some(slot) = Self::parse(slot, now) {
            return slot;
        }
        let stamp = slot.as_document().and_then(|slot| slot.get("stamp"));
        Self {
            by: None,
            stamp: stamp.cloned().unwrap_or(Bson::Null),
            is_connected: false,
            is_older_than_lease: true,
            record: DeviceRecord::replace_damaged(),
        }
    }

    fn parse(slot: &Bson, now: i64) -> Option<Self> {
        let slot = slot.as_document()?;
        let record = DeviceRecord {
            position: slot.get_str("position").ok()?.parse().ok()?,
            orders: DeviceRecord::read_orders(slot.get_str("orders").ok()?)?,
            connections: u32::try_from(slot.get_i64("connections").ok()?).ok()?,
            at: slot.get_i64("at").ok()?,
        };
        let saved = slot.get_datetime("saved").ok()?.timestamp_millis();
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        Some(Self {
            by: Some(slot.get_str("by").ok()?.parse().ok()?),
            stamp: slot.get("stamp")?.clone(),
            is_connected: slot.get_bool("here").ok()?,
            is_older_than_lease: now.saturating_sub(saved) > lease,
            record,
        })
    }

    /// Returns true if no phone of the client is connected to the node any more. `live_nodes` are
    /// the nodes in the directory; without a directory there are none, and no node counts as dead.
    /// A node that is not in it counts as dead, unless it has saved within a lease: it may not have
    /// announced itself yet.
    pub(super) fn is_left(&self, live_nodes: &[NodeId]) -> bool {
        if !self.is_connected {
            return true;
        }
        let has_directory = !live_nodes.is_empty();
        let is_live = self.by.is_some_and(|by| live_nodes.contains(&by));
        has_directory && !is_live && self.is_older_than_lease
    }

    /// Returns the expression that makes a slot. The time of the save is the server's.
    pub(super) fn document(by: NodeId, record: &DeviceRecord, is_connected: bool) -> Document {
        let slot = doc! {
            "by": by.to_string(),
            "stamp": from_uuid(Uuid::new_v4()),
            "here": is_connected,
            "position": record.position.to_string(),
            "orders": record.orders_text(),
            "connections": i64::from(record.connections),
            "at": record.at,
        };
        doc! { "$mergeObjects": [{ "$literal": slot }, { "saved": "$$NOW" }] }
    }
}
