//! The ledger: the positions of clients by device key. A pure kernel.
//!
//! A connection that ends leaves its position *waiting*; the next connection under the same key
//! claims it. Several phones may share one token and so one key: then the smallest of their
//! positions counts, and a position waits until as many phones have reconnected as have left.
//!
//! A phone whose line broke silently reconnects while its old connection still seems alive. It
//! claims the old connection's position, so that the position does not wait a second time when the
//! old connection is found dead. If the old connection gives a sign of life after the claim (its
//! end may be one), it belongs to another phone, and its position counts again.

use std::collections::{BTreeSet, HashMap};

use super::{DeviceKey, DeviceRecord, LIFE_MS};
use crate::{OrderId, Position, SessionId, values::Epoch};

/// Connections that one record stands for, at most.
const MAX_CONNECTIONS: u32 = 16;

/// Interval at which the record of a connected client is stored although nothing has changed, in
/// ms: otherwise the store would forget the client.
const SAVE_INTERVAL_MS: i64 = LIFE_MS / 24;

/// A mark that changes whenever a connection's client is known to be alive: its pongs, and the time
/// of its last activity in ms since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignOfLife(pub(crate) u64, pub(crate) i64);

/// The progress of a client on one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientProgress {
    /// The position up to which the client has certainly received everything; `None` until that is
    /// known.
    pub(crate) position: Option<Position>,
    pub(crate) orders: BTreeSet<OrderId>,
    pub(crate) sign: SignOfLife,
}

/// The clients that are connected, or were since records were last saved.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    devices: HashMap<DeviceKey, Device>,
}

#[derive(Debug, Default)]
struct Device {
    live: Vec<LiveConnection>,
    /// The merged positions of connections that have ended and are not claimed yet.
    waiting: Option<DeviceRecord>,
    /// True if the stored record differs from this state.
    changed: bool,
    /// The time when the record was last taken to be stored, in ms since the Unix epoch.
    stored_at: i64,
    /// Connections that are about to begin: the device is not forgotten meanwhile.
    pins: u32,
}

#[derive(Debug)]
struct LiveConnection {
    session: SessionId,
    progress: ClientProgress,
    /// The sign of life at the time when another connection claimed this one's position.
    claimed: Option<SignOfLife>,
}

impl Ledger {
    /// Keeps a device until [`unpin`](Self::unpin), because a connection is about to begin. Returns
    /// whether the ledger knows the device.
    pub(crate) fn pin(&mut self, key: &DeviceKey) -> bool {
        let Some(device) = self.devices.get_mut(key) else {
            return false;
        };
        device.pins += 1;
        true
    }

    /// Releases a pin: the device may be forgotten again.
    pub(crate) fn unpin(&mut self, key: &DeviceKey) {
        if let Some(device) = self.devices.get_mut(key) {
            device.pins = device.pins.saturating_sub(1);
        }
    }

    /// Adds the store's record of a client, if the ledger does not know the client.
    pub(crate) fn learn(&mut self, key: &DeviceKey, stored: Option<DeviceRecord>) {
        self.devices.entry(key.clone()).or_insert_with(|| Device {
            waiting: stored,
            ..Device::default()
        });
    }

    /// Adds records that other nodes left behind: they wait here from now on.
    pub(crate) fn adopt(&mut self, key: &DeviceKey, left: Vec<DeviceRecord>, epoch: Epoch) {
        let device = self.devices.entry(key.clone()).or_default();
        device.changed |= !left.is_empty();
        let records = device.waiting.take().into_iter().chain(left);
        device.waiting = records.reduce(|one, other| merge(one, other, epoch));
    }

    /// Begins a connection. Returns the client's position and order rooms, if the client was here
    /// before or may be one of those `elsewhere`.
    ///
    /// The ledger cannot tell which of the phones it is, so the smallest position counts. Positions
    /// of another epoch than the log's sort first: they can only lead to a reset.
    pub(crate) fn connect(
        &mut self,
        key: &DeviceKey,
        session: SessionId,
        sign: SignOfLife,
        epoch: Epoch,
        elsewhere: &[DeviceRecord],
    ) -> Option<(Position, Vec<OrderId>)> {
        let device = self.devices.entry(key.clone()).or_default();
        let claimed = device.claim(epoch).into_iter();
        let candidates = claimed.chain(elsewhere.iter().cloned());
        let found = candidates.reduce(|one, other| merge(one, other, epoch));
        let progress = match &found {
            Some(found) => ClientProgress {
                position: Some(found.position),
                orders: found.orders.iter().cloned().collect(),
                sign,
            },
            None => ClientProgress {
                position: None,
                orders: BTreeSet::new(),
                sign,
            },
        };
        device.live.push(LiveConnection {
            session,
            progress,
            claimed: None,
        });
        device.changed = true;
        found.map(|found| (found.position, found.orders))
    }

    /// Updates the progress of a connection.
    ///
    /// A progress without a position keeps the earlier position, and adds its rooms to the earlier
    /// ones: the connection may not have joined all of them again yet.
    pub(crate) fn update(&mut self, key: &DeviceKey, session: SessionId, progress: ClientProgress) {
        let Some(device) = self.devices.get_mut(key) else {
            return;
        };
        let mut connections = device.live.iter_mut();
        let Some(live) = connections.find(|live| live.session == session) else {
            return;
        };
        let before = live.progress.clone();
        live.progress = match progress.position {
            Some(_) => progress,
            None => ClientProgress {
                position: before.position,
                orders: progress.orders.union(&before.orders).cloned().collect(),
                ..progress
            },
        };
        // A new sign of life alone is not stored.
        let after = &live.progress;
        if before.position != after.position || before.orders != after.orders {
            device.changed = true;
        }
    }

    /// Ends a connection with its last progress, at `at` (in ms since the Unix epoch). `silently`
    /// is true if the client may have been away for long.
    pub(crate) fn end(
        &mut self,
        key: &DeviceKey,
        session: SessionId,
        epoch: Epoch,
        at: i64,
        silently: bool,
    ) {
        let Some(device) = self.devices.get_mut(key) else {
            return;
        };
        let Some(index) = device.live.iter().position(|live| live.session == session) else {
            return;
        };
        let live = device.live.swap_remove(index);
        // A claimed connection that ends silently was the old one of a phone that has reconnected.
        if live.is_unclaimed() || !silently {
            let waiting = device.waiting.take().into_iter();
            let records = waiting.chain(live.record(at));
            device.waiting = records.reduce(|one, other| merge(one, other, epoch));
        }
        device.changed = true;
    }

    /// Returns the records to store: those that have changed or were stored long ago, as they are
    /// at `at` (in ms since the Unix epoch). They count as stored from now on.
    pub(crate) fn take_changed(&mut self, epoch: Epoch, at: i64) -> Vec<(DeviceKey, DeviceRecord)> {
        let mut records = Vec::new();
        for (key, device) in &mut self.devices {
            if !device.is_to_be_stored(at) {
                continue;
            }
            device.changed = false;
            device.stored_at = at;
            if let Some(record) = device.record(epoch, at) {
                records.push((key.clone(), record));
            }
        }
        records
    }

    /// Marks records to be stored again, because storing them failed.
    pub(crate) fn put_back(&mut self, records: &[(DeviceKey, DeviceRecord)]) {
        for (key, _) in records {
            if let Some(device) = self.devices.get_mut(key) {
                device.changed = true;
            }
        }
    }

    /// Returns whether the client has a connection to this node.
    pub(crate) fn is_here(&self, key: &DeviceKey) -> bool {
        self.devices
            .get(key)
            .is_some_and(|device| !device.live.is_empty())
    }

    /// Forgets the clients without a connection whose records are stored.
    pub(crate) fn forget_stored(&mut self) {
        self.devices
            .retain(|_, device| device.changed || device.pins > 0 || !device.live.is_empty());
    }

    /// Forgets a client, even if its record is not stored.
    pub(crate) fn forget(&mut self, key: &DeviceKey) {
        self.devices.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.devices.len()
    }
}

impl Device {
    fn is_to_be_stored(&self, at: i64) -> bool {
        let is_connected = !self.live.is_empty();
        let is_due = at.saturating_sub(self.stored_at) >= SAVE_INTERVAL_MS;
        self.changed || (is_connected && is_due)
    }

    /// Returns the waiting positions and those of unclaimed connections, merged into one record.
    fn record(&self, epoch: Epoch, at: i64) -> Option<DeviceRecord> {
        let unclaimed = self.live.iter().filter(|live| live.is_unclaimed());
        let live = unclaimed.filter_map(|live| live.record(at));
        let records = live.chain(self.waiting.clone());
        records.reduce(|one, other| merge(one, other, epoch))
    }

    /// Claims a position for a client that connects: a waiting one, otherwise perhaps that of a
    /// connection that still seems alive.
    fn claim(&mut self, epoch: Epoch) -> Option<DeviceRecord> {
        let found = self.record(epoch, 0);
        match &mut self.waiting {
            Some(waiting) if waiting.connections > 1 => waiting.connections -= 1,
            Some(_) => self.waiting = None,
            None => {
                for live in &mut self.live {
                    live.claimed = Some(live.progress.sign);
                }
            }
        }
        found
    }
}

impl LiveConnection {
    /// Returns whether the position was never claimed, or the client has given a sign of life
    /// since.
    fn is_unclaimed(&self) -> bool {
        self.claimed.is_none_or(|then| then != self.progress.sign)
    }

    fn record(&self, at: i64) -> Option<DeviceRecord> {
        Some(DeviceRecord {
            position: self.progress.position?,
            orders: self.progress.orders.iter().cloned().collect(),
            connections: 1,
            at,
        })
    }
}

/// Merges two records into one: the smaller position, all order rooms, the later time.
fn merge(one: DeviceRecord, other: DeviceRecord, epoch: Epoch) -> DeviceRecord {
    let position = if comes_before(&one, &other, epoch) {
        one.position
    } else {
        other.position
    };
    let connections = one.connections.saturating_add(other.connections);
    let at = one.at.max(other.at);
    let orders: BTreeSet<OrderId> = one.orders.into_iter().chain(other.orders).collect();
    DeviceRecord {
        position,
        orders: orders.into_iter().collect(),
        connections: connections.min(MAX_CONNECTIONS),
        at,
    }
}

fn comes_before(one: &DeviceRecord, other: &DeviceRecord, epoch: Epoch) -> bool {
    let rank = |record: &DeviceRecord| (record.position.epoch() == epoch, record.position.n());
    rank(one) <= rank(other)
}

#[cfg(test)]
mod tests;
