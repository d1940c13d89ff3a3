//! The document of a client: its slots, and the record that they stand for together.

use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

use crate::{
    device::DeviceRecord,
    mongo::bson::from_uuid,
    presence::LEASE,
    values::{NodeId, time},
};

/// The document of a client.
#[derive(Debug)]
pub(super) struct DeviceDocument {
    /// The time of the read by the server's clock, in ms since the Unix epoch.
    pub(super) now: i64,
    pub(super) slots: Vec<Slot>,
}

/// The part of the document that one node has saved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    /// The node; `None` if the slot cannot be read.
    pub(super) by: Option<NodeId>,
    /// A random value, new with each save; null if it cannot be read.
    pub(super) stamp: Bson,
    /// True if the client had connections to the node when it saved.
    pub(super) is_connected: bool,
    /// True if the save is so long ago that a lease from then would have ended.
    is_older_than_lease: bool,
    /// The time when the node last heard of the client, in ms since the Unix epoch: by the server's
    /// clock, otherwise, in a slot of version 79f6e03, by the node's.
    pub(super) heard_at: i64,
    pub(super) record: DeviceRecord,
}

impl DeviceDocument {
    /// Reads a document, without slots that were not saved after `oldest`, in ms since the Unix
    /// epoch. The document has the server's time in `now`.
    pub(super) fn read(document: &Document, oldest: i64) -> Self {
        let now = document
            .get_datetime("now")
            .map_or(0, |now| now.timestamp_millis());
        let mut slots = match document.get_array("slots") {
            Ok(slots) => slots.iter().map(|slot| Slot::read(slot, now)).collect(),
            Err(_) => vec![Slot::read(&Bson::Null, now)],
        };
        let copies = document.get_array("copies").into_iter().flatten();
        for copy in copies.map(|copy| Slot::read(copy, now)) {
            if slots.iter().all(|slot: &Slot| slot.stamp != copy.stamp) {
                slots.push(copy);
            }
        }
        slots.retain(|slot| slot.record.at > oldest);
        Self { now, slots }
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
            heard_at: 0,
            record: DeviceRecord::replace_damaged(),
        }
    }

    fn parse(slot: &Bson, now: i64) -> Option<Self> {
        let slot = slot.as_document()?;
        let is_connected = slot.get_bool("here").ok()?;
        let connected = slot.get_i64("connected").ok();
        // A slot of version 79f6e03 does not say how many are connected: one certainly is.
        let connected = connected
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1);
        let record = DeviceRecord {
            position: slot.get_str("position").ok()?.parse().ok()?,
            orders: DeviceRecord::read_orders(slot.get_str("orders").ok()?)?,
            connections: u32::try_from(slot.get_i64("connections").ok()?).ok()?,
            connected: if is_connected { connected } else { 0 },
            at: slot.get_i64("at").ok()?,
        };
        let saved = slot.get_datetime("saved").ok()?.timestamp_millis();
        let heard = slot.get_datetime("heard");
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        Some(Self {
            by: Some(slot.get_str("by").ok()?.parse().ok()?),
            stamp: slot.get("stamp")?.clone(),
            is_connected,
            is_older_than_lease: now.saturating_sub(saved) > lease,
            heard_at: heard.map_or(record.at, |heard| heard.timestamp_millis()),
            record,
        })
    }

    /// Returns true if the client has no connection to the node any more. `live_nodes` are
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

    /// Returns the expression that makes a slot. The times of the save and of the last sign of life
    /// are the server's.
    pub(super) fn document(by: NodeId, record: &DeviceRecord, is_connected: bool) -> Document {
        let slot = doc! {
            "by": by.to_string(),
            "stamp": from_uuid(Uuid::new_v4()),
            "here": is_connected,
            "position": record.position.to_string(),
            "orders": record.orders_text(),
            "connections": i64::from(record.connections),
            "connected": i64::from(record.connected),
            "at": record.at,
        };
        let age = time::unix_ms().saturating_sub(record.at).max(0);
        let times = doc! { "saved": "$$NOW", "heard": { "$subtract": ["$$NOW", age] } };
        doc! { "$mergeObjects": [{ "$literal": slot }, times] }
    }
}
