//! One device of the ledger: its live connections, and the position that waits for a claim.

use std::collections::BTreeSet;

use crate::{
    OrderId, Position,
    device::{DeviceRecord, LIFE_MS},
    values::SessionId,
};

/// Interval at which the record of a connected client is stored although nothing has changed, in
/// ms: otherwise the store would forget the client.
const SAVE_INTERVAL_MS: i64 = LIFE_MS / 24;

/// A mark that changes whenever a connection's client is known to be alive: the number of its
/// pongs, and the time of its last activity in ms since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignOfLife {
    pub(crate) pongs: u64,
    pub(crate) active_at: i64,
}

/// The last facts about a client, when its connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastSign {
    /// The end itself was a sign of life, or soon followed one.
    Recent,
    /// The client may have been away for long.
    LongAgo,
}

/// The progress of a client on one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientProgress {
    /// The position up to which the client has certainly received everything; `None` until that is
    /// known.
    pub(crate) position: Option<Position>,
    pub(crate) orders: BTreeSet<OrderId>,
    pub(crate) sign: SignOfLife,
}

#[derive(Debug, Default)]
pub(super) struct Device {
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

impl Device {
    pub(super) fn from_stored(stored: Option<DeviceRecord>) -> Self {
        Self {
            waiting: stored,
            ..Self::default()
        }
    }

    pub(super) fn pin(&mut self) {
        self.pins += 1;
    }

    pub(super) fn unpin(&mut self) {
        self.pins = self.pins.saturating_sub(1);
    }

    pub(super) fn is_connected(&self) -> bool {
        !self.live.is_empty()
    }

    /// Returns whether the ledger may forget the device: no connection needs it, and its record is
    /// stored.
    pub(super) fn is_settled(&self) -> bool {
        !self.changed && self.pins == 0 && self.live.is_empty()
    }

    pub(super) fn set_changed(&mut self) {
        self.changed = true;
    }

    /// Adds records to the waiting one.
    pub(super) fn adopt(&mut self, records: Vec<DeviceRecord>) {
        if records.is_empty() {
            return;
        }
        self.wait_for_claim(records);
        self.changed = true;
    }

    fn wait_for_claim(&mut self, records: impl IntoIterator<Item = DeviceRecord>) {
        let records = self.waiting.take().into_iter().chain(records);
        self.waiting = records.reduce(DeviceRecord::merge);
    }

    /// Begins a connection. Returns the merged record that its client may continue from.
    pub(super) fn connect(
        &mut self,
        session: SessionId,
        sign: SignOfLife,
        elsewhere: &[DeviceRecord],
    ) -> Option<DeviceRecord> {
        let claimed = self.claim().into_iter();
        let candidates = claimed.chain(elsewhere.iter().cloned());
        let found = candidates.reduce(DeviceRecord::merge);
        let mut progress = ClientProgress {
            position: None,
            orders: BTreeSet::new(),
            sign,
        };
        if let Some(found) = &found {
            progress.position = Some(found.position);
            progress.orders.extend(found.orders.iter().cloned());
        }
        self.live.push(LiveConnection {
            session,
            progress,
            claimed: None,
        });
        self.changed = true;
        found
    }

    /// Claims a position for a client that connects: a waiting one, otherwise perhaps that of a
    /// connection that still seems alive.
    fn claim(&mut self) -> Option<DeviceRecord> {
        let found = self.record(0);
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

    /// Updates the progress of a connection, as [`Ledger::update`](super::Ledger::update) says.
    pub(super) fn update(&mut self, session: SessionId, progress: ClientProgress) {
        let mut connections = self.live.iter_mut();
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
            self.changed = true;
        }
    }

    /// Ends a connection. Its position waits from now on, unless another connection has claimed it.
    pub(super) fn end(&mut self, session: SessionId, at: i64, last_sign: LastSign) {
        let index = self.live.iter().position(|live| live.session == session);
        let Some(index) = index else {
            return;
        };
        let ended = self.live.swap_remove(index);
        // A claimed connection whose client was away for long was the old one of a phone that has
        // reconnected.
        if ended.is_unclaimed() || last_sign == LastSign::Recent {
            self.wait_for_claim(ended.record(at));
        }
        self.changed = true;
    }

    pub(super) fn is_to_be_stored(&self, at: i64) -> bool {
        let is_due = at.saturating_sub(self.stored_at) >= SAVE_INTERVAL_MS;
        self.changed || (self.is_connected() && is_due)
    }

    /// Returns the record to store. It counts as stored from now on.
    pub(super) fn take_record(&mut self, at: i64) -> Option<DeviceRecord> {
        self.changed = false;
        self.stored_at = at;
        self.record(at)
    }

    /// Returns the waiting positions and those of unclaimed connections, merged into one record.
    fn record(&self, at: i64) -> Option<DeviceRecord> {
        let unclaimed = self.live.iter().filter(|live| live.is_unclaimed());
        let live = unclaimed.filter_map(|live| live.record(at));
        let records = live.chain(self.waiting.clone());
        records.reduce(DeviceRecord::merge)
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
