//! One device of the ledger: its live connections, and the positions that wait for its clients.

use super::connection::{ClientProgress, Doubt, LastSign, LiveConnection, SignOfLife};
use crate::{
    device::{DeviceRecord, LIFE_MS},
    values::SessionId,
};

/// Interval at which the record of a connected client is stored although nothing has changed, in
/// ms: otherwise the store would forget the client.
const SAVE_INTERVAL_MS: i64 = LIFE_MS / 24;

#[derive(Debug, Default)]
pub(super) struct Device {
    live: Vec<LiveConnection>,
    /// The merged positions of connections that have ended. Its clients are away, apart from those
    /// that `returned` counts.
    waiting: Option<DeviceRecord>,
    /// The connections that have begun while others were in doubt. Each is of a client that was
    /// away: one of `waiting`, or one whose connection is in doubt. It is unknown which.
    returned: u32,
    /// True if the stored record differs from this state.
    changed: bool,
    /// The time when the record was last taken to be stored, in ms since the Unix epoch.
    stored_at: i64,
    /// Connections that are about to begin: the device is not forgotten meanwhile.
    pins: u32,
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
        self.add_waiting(records);
        self.changed = true;
    }

    fn add_waiting(&mut self, records: impl IntoIterator<Item = DeviceRecord>) {
        for record in records {
            let before = self.waiting_count();
            let added = record.connections;
            let merged = match self.waiting.take() {
                Some(waiting) => waiting.merge(record),
                None => record,
            };
            self.waiting = Some(merged);
            // A merged record counts 16 connections at most. The clients beyond that must not be
            // taken for some that are back.
            let uncounted = before
                .saturating_add(added)
                .saturating_sub(self.waiting_count());
            self.returned = self.returned.saturating_sub(uncounted);
        }
    }

    /// Begins a connection. Returns the merged record that its client may continue from.
    pub(super) fn connect(
        &mut self,
        session: SessionId,
        sign: SignOfLife,
        elsewhere: &[DeviceRecord],
        at: i64,
    ) -> Option<DeviceRecord> {
        self.forget_expired(at);
        let here = self.record(at).into_iter();
        let found = here
            .chain(elsewhere.iter().cloned())
            .reduce(DeviceRecord::merge);
        let is_claim = self.waiting.is_some();
        self.count_return(elsewhere);
        let mut connection = LiveConnection::new(session, sign, found.as_ref());
        if is_claim {
            connection.claim_start(at);
        }
        self.live.push(connection);
        self.changed = true;
        found
    }

    /// Adds a connection, as [`Ledger::join`](super::Ledger::join) says.
    pub(super) fn join(&mut self, session: SessionId, progress: ClientProgress) {
        let mut connection = LiveConnection::new(session, progress.sign, None);
        connection.update(progress);
        self.live.push(connection);
        self.changed = true;
    }

    /// Removes a connection, as [`Ledger::withdraw`](super::Ledger::withdraw) says.
    pub(super) fn withdraw(&mut self, session: SessionId) {
        self.live.retain(|live| live.session != session);
        self.changed = true;
        self.settle();
    }

    /// Counts a client that connects: one of those that are away, if any is.
    ///
    /// It is not counted if it may be away from another node instead. Of one that waits here, that
    /// is so if a client is awaited there; of one in doubt, if another node has any record.
    fn count_return(&mut self, elsewhere: &[DeviceRecord]) {
        for live in &mut self.live {
            live.begin_doubt();
        }
        let is_awaited_here = self.waiting_count() > self.returned;
        let may_be_of_another_node = if is_awaited_here {
            elsewhere.iter().any(|record| record.away() > 0)
        } else {
            !elsewhere.is_empty()
        };
        if !may_be_of_another_node {
            self.returned += 1;
        }
        self.settle();
    }

    /// Draws the conclusions from what is in doubt now.
    fn settle(&mut self) {
        let waiting = self.waiting_count();
        let in_doubt = self.in_doubt_count();
        self.returned = self.returned.min(waiting.saturating_add(in_doubt));
        // If nothing is in doubt, all that returned were waiting. If as many have returned as may
        // be away, all of them have.
        if in_doubt > 0 && self.away_count() > 0 {
            return;
        }
        for live in &mut self.live {
            live.set_returned();
        }
        let still_waiting = waiting.saturating_sub(self.returned);
        self.waiting = self.waiting.take().filter(|_| still_waiting > 0);
        if let Some(waiting) = &mut self.waiting {
            waiting.connections = still_waiting;
        }
        self.returned = 0;
    }

    fn waiting_count(&self) -> u32 {
        self.waiting
            .as_ref()
            .map_or(0, |waiting| waiting.connections)
    }

    fn in_doubt_count(&self) -> u32 {
        let in_doubt = self.live.iter().filter(|live| live.is_in_doubt());
        u32::try_from(in_doubt.count()).unwrap_or(u32::MAX)
    }

    /// Returns the number of clients that may be away.
    fn away_count(&self) -> u32 {
        let all = self.waiting_count().saturating_add(self.in_doubt_count());
        all.saturating_sub(self.returned)
    }

    /// Drops the waiting positions once they are a day old: their clients are not expected any
    /// more.
    fn forget_expired(&mut self, at: i64) {
        let oldest = at.saturating_sub(LIFE_MS);
        let expired = self.waiting.take_if(|waiting| waiting.at <= oldest);
        if let Some(expired) = expired {
            self.returned = self.returned.saturating_sub(expired.connections);
            self.changed = true;
            self.settle();
        }
    }

    /// Updates the progress of a connection, as [`Ledger::update`](super::Ledger::update) says.
    pub(super) fn update(&mut self, session: SessionId, progress: ClientProgress) {
        let mut connections = self.live.iter_mut();
        let Some(live) = connections.find(|live| live.session == session) else {
            return;
        };
        let before = live.progress.clone();
        let doubt_before = live.doubt;
        live.update(progress);
        // A new sign of life alone is not stored, unless it ends a doubt.
        let after = &live.progress;
        let is_same = before.position == after.position && before.orders == after.orders;
        if !is_same || doubt_before != live.doubt {
            self.changed = true;
            self.settle();
        }
    }

    /// Ends a connection. Its position waits from now on, unless its client has returned by another
    /// connection.
    pub(super) fn end(&mut self, session: SessionId, at: i64, last_sign: LastSign) {
        let index = self.live.iter().position(|live| live.session == session);
        let Some(index) = index else {
            return;
        };
        let ended = self.live.swap_remove(index);
        let heard_at = match last_sign {
            LastSign::Recent => at,
            LastSign::LongAgo => ended.progress.sign.heard_at,
        };
        let has_returned =
            matches!(ended.doubt, Doubt::Returned(_)) && last_sign == LastSign::LongAgo;
        if !has_returned {
            self.add_waiting(ended.last_record(heard_at));
        }
        self.changed = true;
        self.settle();
    }

    pub(super) fn is_to_be_stored(&self, at: i64) -> bool {
        let is_due = at.saturating_sub(self.stored_at) >= SAVE_INTERVAL_MS;
        let mut claims = self.live.iter().filter_map(LiveConnection::claim);
        let is_grace_over =
            claims.any(|claim| self.stored_at < claim.grace_end && claim.grace_end <= at);
        self.changed || (self.is_connected() && is_due) || is_grace_over
    }

    /// Returns the record to store. It counts as stored from now on.
    pub(super) fn take_record(&mut self, at: i64) -> Option<DeviceRecord> {
        self.forget_expired(at);
        self.changed = false;
        self.stored_at = at;
        self.record(at)
    }

    /// Returns the record of the clients that may be away and of those that are connected: the
    /// smallest of their positions.
    fn record(&self, at: i64) -> Option<DeviceRecord> {
        let (in_doubt, certain): (Vec<_>, Vec<_>) = self
            .live
            .iter()
            .filter(|live| !matches!(live.doubt, Doubt::Returned(_)))
            .partition(|live| live.is_in_doubt());
        let in_doubt = in_doubt.into_iter().filter_map(|live| live.record(at));
        let away = self.waiting.clone().into_iter().chain(in_doubt);
        let away = away.reduce(DeviceRecord::merge).map(|away| DeviceRecord {
            connections: self.away_count(),
            connected: 0,
            ..away
        });
        let connected = certain.into_iter().filter_map(|live| live.record(at));
        away.into_iter()
            .chain(connected)
            .reduce(DeviceRecord::merge)
    }
}
