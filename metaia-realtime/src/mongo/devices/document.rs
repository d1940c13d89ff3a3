//! The document of a client, and what it says.

use std::collections::BTreeSet;

use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

use crate::{
    OrderId, Position,
    device::DeviceRecord,
    mongo::head::of_uuid,
    presence::LEASE,
    values::{Epoch, NodeId, time},
};

/// The most connections that one record stands for.
const CONNECTIONS: u32 = 16;

/// What one node has saved of a client.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    /// `None`: it cannot be read.
    pub(super) by: Option<NodeId>,
    /// Another one with each save; null where it cannot be read.
    pub(super) stamp: Bson,
    /// Whether phones of it are connected there.
    here: bool,
    /// Saved so long ago that the node's lease would be over.
    old: bool,
    pub(super) record: DeviceRecord,
}

/// A client's document.
#[derive(Debug)]
pub(super) struct Found {
    /// The node that a device came to last.
    pub(super) owner: Option<NodeId>,
    pub(super) slots: Vec<Slot>,
}

impl Found {
    /// Without the slots that are not younger than `oldest`, in ms since the Unix epoch.
    pub(super) fn read(document: &Document, oldest: i64) -> Self {
        let owner = document
            .get_str("owner")
            .ok()
            .and_then(|owner| owner.parse().ok());
        let now = document
            .get_datetime("now")
            .map_or(0, |now| now.timestamp_millis());
        let slots = match document.get_array("slots") {
            Ok(slots) => slots.iter().map(|slot| Slot::read(slot, now)).collect(),
            Err(_) => vec![Slot::read(&Bson::Null, now)],
        };
        let fresh = |slot: &Slot| slot.record.at > oldest;
        Self {
            owner,
            slots: slots.into_iter().filter(fresh).collect(),
        }
    }
}

impl Slot {
    fn read(slot: &Bson, now: i64) -> Self {
        let stamp = slot
            .as_document()
            .and_then(|slot| slot.get("stamp"))
            .cloned();
        Self::parse(slot, now).unwrap_or_else(|| Self {
            by: None,
            stamp: stamp.unwrap_or(Bson::Null),
            here: false,
            old: true,
            record: damaged(),
        })
    }

    fn parse(slot: &Bson, now: i64) -> Option<Self> {
        let slot = slot.as_document()?;
        let orders = slot.get_str("orders").ok()?.split_ascii_whitespace();
        let record = DeviceRecord {
            position: slot.get_str("position").ok()?.parse().ok()?,
            orders: orders
                .map(|order| order.parse().ok())
                .collect::<Option<_>>()?,
            connections: u32::try_from(slot.get_i64("connections").ok()?).ok()?,
            at: slot.get_i64("at").ok()?,
        };
        let saved = slot.get_datetime("saved").ok()?.timestamp_millis();
        Some(Self {
            by: Some(slot.get_str("by").ok()?.parse().ok()?),
            stamp: slot.get("stamp")?.clone(),
            here: slot.get_bool("here").ok()?,
            old: now.saturating_sub(saved) > i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX),
            record,
        })
    }

    /// Whether nobody has a phone of it any more. Who is not in the directory is gone, where there
    /// is one (it names at least one node), unless it has saved within a lease: it may not have
    /// announced itself yet.
    pub(super) fn is_left(&self, living: &[NodeId]) -> bool {
        let lives = self.by.is_some_and(|by| living.contains(&by));
        !self.here || !lives && !living.is_empty() && self.old
    }

    /// As a node saves it. When is the server's to say.
    pub(super) fn document(by: NodeId, record: &DeviceRecord, here: bool) -> Document {
        let orders: Vec<&str> = record.orders.iter().map(OrderId::as_str).collect();
        let slot = doc! {
            "by": by.to_string(),
            "stamp": of_uuid(Uuid::new_v4()),
            "here": here,
            "position": record.position.to_string(),
            "orders": orders.join(" "),
            "connections": i64::from(record.connections),
            "at": record.at,
        };
        doc! { "$mergeObjects": [{ "$literal": slot }, { "saved": "$$NOW" }] }
    }
}

/// Of an epoch that never was: the client is told to reload, and not refused for a day.
fn damaged() -> DeviceRecord {
    tracing::error!("the record of a client is damaged: it will be told to reload");
    DeviceRecord {
        position: nowhere(),
        orders: Vec::new(),
        connections: 1,
        at: time::unix_ms(),
    }
}

fn nowhere() -> Position {
    Position::start(Epoch::random())
}

/// Of two histories nobody here knows which one is the log's: then there is nowhere to go on from.
pub(super) fn both(one: DeviceRecord, other: DeviceRecord) -> DeviceRecord {
    let (first, second) = if one.position.n() <= other.position.n() {
        (one, other)
    } else {
        (other, one)
    };
    let same = first.position.epoch() == second.position.epoch();
    let orders: BTreeSet<OrderId> = first.orders.into_iter().chain(second.orders).collect();
    DeviceRecord {
        position: if same { first.position } else { nowhere() },
        orders: orders.into_iter().collect(),
        connections: first
            .connections
            .saturating_add(second.connections)
            .min(CONNECTIONS),
        at: first.at.max(second.at),
    }
}
