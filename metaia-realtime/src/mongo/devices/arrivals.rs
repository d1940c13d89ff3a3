//! Arrivals: connections of clients that may have moved here from another node, whose slot still
//! counts them.

use std::collections::HashMap;

use mongodb::bson::Bson;

use super::document::Slot;
use crate::{
    device::{DeviceKey, LIFE_MS},
    values::NodeId,
};

/// The most clients of which arrivals are noted. Beyond it their positions count twice, and they
/// may receive some events twice.
const MAX_CLIENTS: usize = 100_000;

/// The most arrivals that are noted of one client.
const MAX_ARRIVALS: usize = 16;

/// The arrivals at this node.
#[derive(Debug, Default)]
pub(super) struct Arrivals(HashMap<DeviceKey, Vec<Arrival>>);

/// A connection that began here while a slot of another node may have been of its client.
#[derive(Debug)]
struct Arrival {
    from: NodeId,
    /// The stamp of that slot.
    stamp: Bson,
    /// In ms since the Unix epoch, by the server's clock.
    at: i64,
}

impl Arrivals {
    /// Notes a connection that begins at `at`. With slots of several nodes `elsewhere` it is
    /// unknown from which one the client comes, and nothing is noted.
    pub(super) fn note(&mut self, key: &DeviceKey, elsewhere: &[Slot], at: i64) {
        let [slot] = elsewhere else {
            return;
        };
        let Some(from) = slot.by else {
            return;
        };
        if self.0.len() >= MAX_CLIENTS && !self.0.contains_key(key) {
            self.drop_expired(at);
        }
        if self.0.len() >= MAX_CLIENTS && !self.0.contains_key(key) {
            return;
        }
        let of_client = self.0.entry(key.clone()).or_default();
        if of_client.len() >= MAX_ARRIVALS {
            of_client.remove(0);
        }
        of_client.push(Arrival {
            from,
            stamp: slot.stamp.clone(),
            at,
        });
    }

    fn drop_expired(&mut self, at: i64) {
        let oldest = at.saturating_sub(LIFE_MS);
        self.0
            .retain(|_, of_client| of_client.iter().any(|arrival| arrival.at > oldest));
    }

    /// Takes the clients that have arrived here out of the slots that other nodes left. Returns the
    /// slots that still count, and forgets the arrivals from their nodes.
    ///
    /// If a node itself has left its slot, it says when it last heard of the clients. If the node
    /// is dead, they may have been alive there for as long as the slot did not change. So its
    /// position counts once more, even if no client is awaited.
    pub(super) fn settle(&mut self, key: &DeviceKey, mut left: Vec<Slot>) -> Vec<Slot> {
        let Some(of_client) = self.0.get_mut(key) else {
            return left;
        };
        for slot in &mut left {
            let arrived = of_client.iter().filter(|arrival| arrival.is_from(slot));
            let arrived = u32::try_from(arrived.count()).unwrap_or(u32::MAX);
            slot.record.connections = slot.record.connections.saturating_sub(arrived);
            slot.record.connected = 0;
        }
        of_client.retain(|arrival| left.iter().all(|slot| slot.by != Some(arrival.from)));
        if of_client.is_empty() {
            self.0.remove(key);
        }
        left.retain(|slot| slot.is_connected || slot.record.connections > 0);
        left
    }
}

impl Arrival {
    /// Returns whether the client was not heard of on the node of this slot since it arrived here.
    fn is_from(&self, left: &Slot) -> bool {
        let is_after_last_sign = !left.is_connected && self.at > left.heard_at;
        left.by == Some(self.from) && (is_after_last_sign || left.stamp == self.stamp)
    }
}
