//! Claims: the records of a client that connects to this node.

use mongodb::bson::Bson;

use super::{MongoDevices, document::Slot};
use crate::{
    device::{Claimant, ClaimedRecords, DeviceKey, DeviceRecord},
    mongo::{directory, fault::MongoFault},
};

/// The most clients of which slots are taken in and not yet removed. Beyond it slots stay in the
/// database, and their clients may receive some events twice.
const MAX_TAKEN_IN: usize = 100_000;

impl MongoDevices {
    pub(super) async fn try_claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> Result<ClaimedRecords, MongoFault> {
        let Some(found) = self.read_document(key).await? else {
            return Ok(ClaimedRecords::default());
        };
        let (own, others) = self.split_own(found.slots);
        // The directory is only read if it can make a difference.
        let are_all_left = others.iter().all(|slot| slot.is_left(&[]));
        let live_nodes = if are_all_left {
            Vec::new()
        } else {
            directory::live_nodes(&self.inner.mongo).await?
        };
        // There is no await from here on: a slot that counts as taken in is handed to the caller.
        let (left, elsewhere) = self.take_in_left(key, others, |slot| slot.is_left(&live_nodes));
        let own = own.filter(|_| claimant == Claimant::New);
        let mut arrivals = self.inner.arrivals.lock();
        // If a record waits here, it is taken to be that of the client.
        if own.is_none() && left.is_empty() {
            arrivals.note(key, &elsewhere, found.now);
        }
        let left = arrivals.settle(key, left);
        drop(arrivals);
        Ok(ClaimedRecords {
            own,
            left: records(left),
            elsewhere: records(elsewhere),
        })
    }

    /// Takes in the slots that were left. Returns those, and the ones that stay with their nodes.
    /// Slots that were taken in before are in neither list.
    fn take_in_left(
        &self,
        key: &DeviceKey,
        mut slots: Vec<Slot>,
        is_left: impl Fn(&Slot) -> bool,
    ) -> (Vec<Slot>, Vec<Slot>) {
        let mut taken_in = self.inner.taken_in.lock();
        if let Some(stamps) = taken_in.get(key) {
            slots.retain(|slot| !stamps.contains(&slot.stamp));
        }
        let has_space = taken_in.len() < MAX_TAKEN_IN || taken_in.contains_key(key);
        let (left, elsewhere): (Vec<Slot>, Vec<Slot>) = slots
            .into_iter()
            .partition(|slot| has_space && is_left(slot));
        if !left.is_empty() {
            let stamps = taken_in.entry(key.clone()).or_default();
            stamps.extend(left.iter().map(|slot| slot.stamp.clone()));
        }
        (left, elsewhere)
    }

    /// Separates the record that this node has saved from the slots of other nodes.
    fn split_own(&self, slots: Vec<Slot>) -> (Option<DeviceRecord>, Vec<Slot>) {
        let node = self.node();
        let (own, others): (Vec<Slot>, Vec<Slot>) =
            slots.into_iter().partition(|slot| slot.by == Some(node));
        let own = own.into_iter().map(|slot| slot.record);
        (own.reduce(DeviceRecord::merge), others)
    }

    /// Returns the stamps of the slots that this node has taken in, per client.
    pub(super) fn stamps_taken_in<'a>(
        &self,
        keys: impl Iterator<Item = &'a DeviceKey>,
    ) -> Vec<(DeviceKey, Vec<Bson>)> {
        let taken_in = self.inner.taken_in.lock();
        keys.map(|key| {
            let stamps = taken_in.get(key).cloned().unwrap_or_default();
            (key.clone(), stamps)
        })
        .collect()
    }

    /// Forgets slots that were taken in, and that a save has removed.
    pub(super) fn forget_taken_in(&self, removed: Vec<(DeviceKey, Vec<Bson>)>) {
        let mut taken_in = self.inner.taken_in.lock();
        for (key, stamps) in removed {
            let Some(remaining) = taken_in.get_mut(&key) else {
                continue;
            };
            // A slot may have been taken in during the save: it stays.
            remaining.retain(|stamp| !stamps.contains(stamp));
            if remaining.is_empty() {
                taken_in.remove(&key);
            }
        }
    }
}

fn records(slots: Vec<Slot>) -> Vec<DeviceRecord> {
    slots.into_iter().map(|slot| slot.record).collect()
}
