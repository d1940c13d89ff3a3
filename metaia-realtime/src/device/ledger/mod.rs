//! Who is where: the positions of clients by device. A pure kernel.
//!
//! A connection that ends leaves its position *waiting* for the client to come back; the next one
//! under the same key claims it. Several phones may share one token and so one key: then the
//! smallest of their positions counts, and a position waits until as many have come back as have
//! gone.
//!
//! A phone whose line broke silently comes back while its old connection still seems to live. Its
//! position is then claimed already, and does not wait once more when the old connection is found
//! dead: unless that one has given a sign of life since (its end may be one), which shows that it
//! is another phone's.

use std::collections::{BTreeSet, HashMap};

use super::{DeviceKey, DeviceRecord, LIFE_MS};
use crate::{OrderId, Position, SessionId, values::Epoch};

/// The most connections that one record stands for.
const CONNECTIONS: u32 = 16;

/// A client that is here is stored again after so long, though nothing has changed: else the store
/// would forget it.
const AGAIN_MS: i64 = LIFE_MS / 24;

/// Changes whenever the client behind a connection is known to be alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignOfLife(pub(crate) u64, pub(crate) i64);

/// Where a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What the client has certainly received; `None` until that is known.
    pub(crate) position: Option<Position>,
    pub(crate) orders: BTreeSet<OrderId>,
    pub(crate) sign: SignOfLife,
}

/// All clients that are here, or have been since records were last saved.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    devices: HashMap<DeviceKey, Device>,
}

#[derive(Debug, Default)]
struct Device {
    live: Vec<Live>,
    waiting: Option<DeviceRecord>,
    /// What is stored is not what is here.
    changed: bool,
    /// When it was last to be stored, in ms since the Unix epoch.
    stored_at: i64,
    /// Connections that are about to begin: it is not forgotten meanwhile.
    pins: u32,
}

#[derive(Debug)]
struct Live {
    session: SessionId,
    standing: Standing,
    /// Its last sign of life when another connection claimed its position.
    claimed: Option<SignOfLife>,
}

impl Ledger {
    /// A connection of a client is about to begin: what is known of it stays known until
    /// [`unpin`](Self::unpin). Answers whether anything is.
    pub(crate) fn pin(&mut self, key: &DeviceKey) -> bool {
        let device = self.devices.get_mut(key);
        device.map(|device| device.pins += 1).is_some()
    }

    /// What was pinned need not stay any longer.
    pub(crate) fn unpin(&mut self, key: &DeviceKey) {
        if let Some(device) = self.devices.get_mut(key) {
            device.pins = device.pins.saturating_sub(1);
        }
    }

    /// This is what the store has of a client, if nothing is known here.
    pub(crate) fn learn(&mut self, key: &DeviceKey, stored: Option<DeviceRecord>) {
        self.devices.entry(key.clone()).or_insert_with(|| Device {
            waiting: stored,
            ..Device::default()
        });
    }

    /// These were left behind elsewhere, and wait here from now on.
    pub(crate) fn take_in(&mut self, key: &DeviceKey, left: Vec<DeviceRecord>, epoch: Epoch) {
        let device = self.devices.entry(key.clone()).or_default();
        device.changed |= !left.is_empty();
        let all = device.waiting.take().into_iter().chain(left);
        device.waiting = all.reduce(|one, other| both(one, other, epoch));
    }

    /// A connection begins. Answers where its client was, if it was here before, or is one of those
    /// `elsewhere`: nobody can say which, so the smallest position counts. Positions of another
    /// epoch than the log's come first: they can only lead to a reset.
    pub(crate) fn connect(
        &mut self,
        key: &DeviceKey,
        session: SessionId,
        sign: SignOfLife,
        epoch: Epoch,
        elsewhere: &[DeviceRecord],
    ) -> Option<(Position, Vec<OrderId>)> {
        let device = self.devices.entry(key.clone()).or_default();
        let all = device
            .claim(epoch)
            .into_iter()
            .chain(elsewhere.iter().cloned());
        let found = all.reduce(|one, other| both(one, other, epoch));
        let (position, orders) = match &found {
            Some(found) => (Some(found.position), found.orders.iter().cloned().collect()),
            None => (None, BTreeSet::new()),
        };
        device.live.push(Live {
            session,
            standing: Standing {
                position,
                orders,
                sign,
            },
            claimed: None,
        });
        device.changed = true;
        found.map(|found| (found.position, found.orders))
    }

    /// A connection stands elsewhere now. Its position is as sure as what is given: `None` leaves
    /// it, and the rooms with it, since the connection may not be in all of them again yet.
    pub(crate) fn stands(&mut self, key: &DeviceKey, session: SessionId, standing: Standing) {
        let Some(device) = self.devices.get_mut(key) else {
            return;
        };
        let Some(live) = device.live.iter_mut().find(|live| live.session == session) else {
            return;
        };
        let before = live.standing.clone();
        live.standing = match standing.position {
            Some(_) => standing,
            None => {
                let orders = standing.orders.union(&before.orders).cloned().collect();
                Standing {
                    position: before.position,
                    orders,
                    ..standing
                }
            }
        };
        device.changed |=
            before.position != live.standing.position || before.orders != live.standing.orders;
    }

    /// A connection has ended where it stood last, at `at` (ms since the Unix epoch); `silently`:
    /// its client may have been away for long.
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
        if live.counts() || !silently {
            let gone = live.record(at);
            device.waiting = match (device.waiting.take(), gone) {
                (Some(waiting), Some(gone)) => Some(both(waiting, gone, epoch)),
                (waiting, gone) => waiting.or(gone),
            };
        }
        device.changed = true;
    }

    /// What is to be stored: all that has changed, or was stored long ago, as it is at `at`. They
    /// count as stored from then on.
    pub(crate) fn take_changed(&mut self, epoch: Epoch, at: i64) -> Vec<(DeviceKey, DeviceRecord)> {
        let changed = self
            .devices
            .iter_mut()
            .filter(|(_, device)| device.is_to_be_stored(at));
        let records = changed.filter_map(|(key, device)| {
            (device.changed, device.stored_at) = (false, at);
            Some((key.clone(), device.record(epoch, at)?))
        });
        records.collect()
    }

    /// These could not be stored: they are to be stored once more.
    pub(crate) fn put_back(&mut self, records: &[(DeviceKey, DeviceRecord)]) {
        for (key, _) in records {
            if let Some(device) = self.devices.get_mut(key) {
                device.changed = true;
            }
        }
    }

    /// Whether a connection of the client is here.
    pub(crate) fn is_here(&self, key: &DeviceKey) -> bool {
        self.devices
            .get(key)
            .is_some_and(|device| !device.live.is_empty())
    }

    /// Forgets those who are not here and whose record is stored.
    pub(crate) fn forget_stored(&mut self) {
        self.devices
            .retain(|_, device| device.changed || device.pins > 0 || !device.live.is_empty());
    }

    /// Forgets one, stored or not.
    pub(crate) fn forget(&mut self, key: &DeviceKey) {
        self.devices.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.devices.len()
    }
}

impl Device {
    fn is_to_be_stored(&self, at: i64) -> bool {
        self.changed || (!self.live.is_empty() && at.saturating_sub(self.stored_at) >= AGAIN_MS)
    }

    /// Everything that counts, as one record.
    fn record(&self, epoch: Epoch, at: i64) -> Option<DeviceRecord> {
        let live = self
            .live
            .iter()
            .filter(|live| live.counts())
            .filter_map(|live| live.record(at));
        live.chain(self.waiting.clone())
            .reduce(|one, other| both(one, other, epoch))
    }

    /// A client comes: it takes the place of one that waits, or else is perhaps one that still
    /// seems to live.
    fn claim(&mut self, epoch: Epoch) -> Option<DeviceRecord> {
        let found = self.record(epoch, 0);
        match &mut self.waiting {
            Some(waiting) if waiting.connections > 1 => waiting.connections -= 1,
            Some(_) => self.waiting = None,
            None => {
                for live in &mut self.live {
                    live.claimed = Some(live.standing.sign);
                }
            }
        }
        found
    }
}

impl Live {
    /// Whether its position is still to be claimed.
    fn counts(&self) -> bool {
        self.claimed.is_none_or(|then| then != self.standing.sign)
    }

    fn record(&self, at: i64) -> Option<DeviceRecord> {
        let orders = self.standing.orders.iter().cloned().collect();
        Some(DeviceRecord {
            position: self.standing.position?,
            orders,
            connections: 1,
            at,
        })
    }
}

fn both(one: DeviceRecord, other: DeviceRecord, epoch: Epoch) -> DeviceRecord {
    let (first, second) = if comes_before(&one, &other, epoch) {
        (one, other)
    } else {
        (other, one)
    };
    let orders: BTreeSet<OrderId> = first.orders.into_iter().chain(second.orders).collect();
    DeviceRecord {
        position: first.position,
        orders: orders.into_iter().collect(),
        connections: first
            .connections
            .saturating_add(second.connections)
            .min(CONNECTIONS),
        at: first.at.max(second.at),
    }
}

fn comes_before(one: &DeviceRecord, other: &DeviceRecord, epoch: Epoch) -> bool {
    let rank = |record: &DeviceRecord| (record.position.epoch() == epoch, record.position.n());
    rank(one) <= rank(other)
}

#[cfg(test)]
mod tests;
