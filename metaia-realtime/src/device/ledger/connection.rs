//! A live connection of the ledger, and the signs of life by which it proves that it is alive.

use std::collections::BTreeSet;

use crate::{OrderId, Position, device::DeviceRecord, values::SessionId};

/// A mark that changes whenever a connection's client is known to be alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignOfLife {
    /// The pings that the client has answered.
    pub(crate) pongs: u64,
    /// The time when the client last answered a ping or did something, in ms since the Unix epoch.
    pub(crate) heard_at: i64,
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

/// The time for which a waiting position that a connection has claimed still counts, in ms: its
/// client may not have been the one that was away. That one then has time to come back.
pub(super) const CLAIM_GRACE_MS: i64 = 2 * 60 * 1000;

/// A connection that the server takes for a live one.
#[derive(Debug)]
pub(super) struct LiveConnection {
    pub(super) session: SessionId,
    pub(super) progress: ClientProgress,
    pub(super) doubt: Doubt,
    /// The position that waited when it began, and from which it began.
    claim: Option<Claim>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    position: Position,
    /// The time at which it ceases to count, in ms since the Unix epoch.
    pub(super) grace_end: i64,
}

/// The doubt whether a connection is still alive. It begins when another connection of the device
/// begins: that one may be of the same client, whose line broke without a sign. It ends with the
/// next sign of life. The marks are the signs at the time when the doubt began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    None,
    /// Its client may be away, or may have come back: not as many connections have begun as there
    /// are clients that may be away.
    Open(SignOfLife),
    /// If the connection is dead, its client has come back.
    Returned(SignOfLife),
}

impl LiveConnection {
    pub(super) fn new(session: SessionId, sign: SignOfLife, found: Option<&DeviceRecord>) -> Self {
        let orders = found.into_iter().flat_map(|found| found.orders.iter());
        Self {
            session,
            progress: ClientProgress {
                position: found.map(|found| found.position),
                orders: orders.cloned().collect(),
                sign,
            },
            doubt: Doubt::None,
            claim: None,
        }
    }

    /// Records that the connection, which begins at `at`, claims a position that waited.
    pub(super) fn claim_start(&mut self, at: i64) {
        self.claim = self.progress.position.map(|position| Claim {
            position,
            grace_end: at.saturating_add(CLAIM_GRACE_MS),
        });
    }

    pub(super) const fn claim(&self) -> Option<Claim> {
        self.claim
    }

    pub(super) const fn is_in_doubt(&self) -> bool {
        matches!(self.doubt, Doubt::Open(_))
    }

    /// Begins the doubt, unless there is one already.
    pub(super) fn begin_doubt(&mut self) {
        if self.doubt == Doubt::None {
            self.doubt = Doubt::Open(self.progress.sign);
        }
    }

    /// Records that the client has come back if the connection is dead.
    pub(super) fn set_returned(&mut self) {
        if let Doubt::Open(sign) = self.doubt {
            self.doubt = Doubt::Returned(sign);
        }
    }

    /// Updates the progress. A sign of life ends the doubt.
    ///
    /// A progress without a position keeps the earlier position, and adds its rooms to the earlier
    /// ones.
    pub(super) fn update(&mut self, mut progress: ClientProgress) {
        if let Doubt::Open(sign) | Doubt::Returned(sign) = self.doubt
            && sign != progress.sign
        {
            self.doubt = Doubt::None;
        }
        if progress.position.is_none() {
            progress.position = self.progress.position;
            let before = self.progress.orders.iter().cloned();
            progress.orders.extend(before);
        }
        self.progress = progress;
    }

    /// Returns the record of this connection alone, for those that connect while it is live; `None`
    /// if its position is not known yet.
    pub(super) fn record(&self, at: i64) -> Option<DeviceRecord> {
        let mut record = self.progress_record(at)?;
        if let Some(Claim {
            position,
            grace_end,
        }) = self.claim
            && at < grace_end
            && position.epoch() == record.position.epoch()
            && position.n() < record.position.n()
        {
            record.position = position;
        }
        Some(record)
    }

    /// Returns the record that this connection leaves when it ends.
    pub(super) fn last_record(&self, at: i64) -> Option<DeviceRecord> {
        let record = self.progress_record(at)?;
        Some(DeviceRecord {
            connected: 0,
            ..record
        })
    }

    /// Returns the record of the progress alone.
    fn progress_record(&self, at: i64) -> Option<DeviceRecord> {
        Some(DeviceRecord {
            position: self.progress.position?,
            orders: self.progress.orders.iter().cloned().collect(),
            connections: 1,
            connected: u32::from(!self.is_in_doubt()),
            at,
        })
    }
}
