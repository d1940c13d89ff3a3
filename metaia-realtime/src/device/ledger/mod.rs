//! The ledger: the positions of clients by device key. A pure kernel.
//!
//! A device may have several connections: tabs that share one `auth.device`, or phones that share
//! one token. The ledger cannot tell their clients apart. A connection that ends leaves its
//! position *waiting*, and the smallest position counts until as many clients have come back as
//! have left.
//!
//! A client whose line broke silently comes back while its old connection still seems alive. So a
//! connection that begins puts the others *in doubt*, until each gives a sign of life. Positions in
//! doubt count like waiting ones: as many of both are dropped as clients have come back, and the
//! smallest of them stays until the last. An end by which the client was heard of is a sign of
//! life: any but a ping timeout or a write stall.
//!
//! A client that connects for the first time is taken for one that is away, if any is. So a waiting
//! position that a connection has claimed counts for two minutes more, for the one that may yet
//! come back, as long as the connection lives.

mod connection;
mod device;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub(crate) use connection::{ClientProgress, LastSign, SignOfLife};
use device::Device;

use super::{DeviceKey, DeviceRecord};
use crate::{OrderId, Position, values::SessionId};

/// The clients that are connected now, or were connected since records were last saved.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    devices: HashMap<DeviceKey, Device>,
}

impl Ledger {
    /// Keeps a device until [`unpin`](Self::unpin), because a connection is about to begin. Returns
    /// whether the ledger knows the device.
    pub(crate) fn pin(&mut self, key: &DeviceKey) -> bool {
        let Some(device) = self.devices.get_mut(key) else {
            return false;
        };
        device.pin();
        true
    }

    /// Releases a pin: the device may be forgotten again.
    pub(crate) fn unpin(&mut self, key: &DeviceKey) {
        if let Some(device) = self.devices.get_mut(key) {
            device.unpin();
        }
    }

    /// Adds the store's record of a client, if the ledger does not know the client.
    pub(crate) fn learn(&mut self, key: &DeviceKey, stored: Option<DeviceRecord>) {
        let device = self.devices.entry(key.clone());
        device.or_insert_with(|| Device::from_stored(stored));
    }

    /// Adds records that other nodes left behind: they wait here from now on.
    pub(crate) fn adopt(&mut self, key: &DeviceKey, left: Vec<DeviceRecord>) {
        let device = self.devices.entry(key.clone()).or_default();
        device.adopt(left);
    }

    /// Begins a connection at `at` (in ms since the Unix epoch). Returns the client's position and
    /// order rooms, if the client was here before or may be one of those `elsewhere`.
    ///
    /// The ledger cannot tell which of the device's clients it is, so the smallest position counts.
    pub(crate) fn connect(
        &mut self,
        key: &DeviceKey,
        session: SessionId,
        sign: SignOfLife,
        elsewhere: &[DeviceRecord],
        at: i64,
    ) -> Option<(Position, Vec<OrderId>)> {
        let device = self.devices.entry(key.clone()).or_default();
        let found = device.connect(session, sign, elsewhere, at)?;
        Some((found.position, found.orders))
    }

    /// Adds a connection that has lived under another key, with its progress. Its client is none of
    /// those of the device that are away.
    pub(crate) fn join(&mut self, key: &DeviceKey, session: SessionId, progress: ClientProgress) {
        let device = self.devices.entry(key.clone()).or_default();
        device.join(session, progress);
    }

    /// Removes a connection that has [joined](Self::join) and lives on under its other key. Nothing
    /// of it waits here.
    pub(crate) fn withdraw(&mut self, key: &DeviceKey, session: SessionId) {
        if let Some(device) = self.devices.get_mut(key) {
            device.withdraw(session);
        }
    }

    /// Updates the progress of a connection.
    ///
    /// A progress without a position keeps the earlier position, and adds its rooms to the earlier
    /// ones: the connection may not have joined all of them again yet.
    pub(crate) fn update(&mut self, key: &DeviceKey, session: SessionId, progress: ClientProgress) {
        if let Some(device) = self.devices.get_mut(key) {
            device.update(session, progress);
        }
    }

    /// Ends a connection with its last progress, at `at` (in ms since the Unix epoch).
    pub(crate) fn end(
        &mut self,
        key: &DeviceKey,
        session: SessionId,
        at: i64,
        last_sign: LastSign,
    ) {
        if let Some(device) = self.devices.get_mut(key) {
            device.end(session, at, last_sign);
        }
    }

    /// Returns the records to store: those that have changed or were stored long ago, as they are
    /// at `at` (in ms since the Unix epoch). They count as stored from now on.
    pub(crate) fn take_changed(&mut self, at: i64) -> Vec<(DeviceKey, DeviceRecord)> {
        let mut records = Vec::new();
        for (key, device) in &mut self.devices {
            if !device.is_to_be_stored(at) {
                continue;
            }
            if let Some(record) = device.take_record(at) {
                records.push((key.clone(), record));
            }
        }
        records
    }

    /// Marks records to be stored again, because storing them failed.
    pub(crate) fn put_back(&mut self, records: &[(DeviceKey, DeviceRecord)]) {
        for (key, _) in records {
            if let Some(device) = self.devices.get_mut(key) {
                device.set_changed();
            }
        }
    }

    /// Returns whether the client has a connection to this node.
    pub(crate) fn is_here(&self, key: &DeviceKey) -> bool {
        self.devices.get(key).is_some_and(Device::is_connected)
    }

    /// Forgets the clients without a connection whose records are stored.
    pub(crate) fn forget_stored(&mut self) {
        self.devices.retain(|_, device| !device.is_settled());
    }

    /// Forgets a client, even if its record is not stored.
    pub(crate) fn forget(&mut self, key: &DeviceKey) {
        self.devices.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.devices.len()
    }
}
