//! What a client has certainly received: everything that was written before the last ping that it
//! answered. A pure kernel.

use crate::Position;

/// The positions of what is written, and of the pings between.
#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    /// What the client has certainly received.
    confirmed: Option<Position>,
    /// What was written last.
    written: Option<Position>,
    /// The last ping that is not answered yet.
    ping: Option<PendingPing>,
}

/// What was written before a ping.
#[derive(Debug)]
struct PendingPing {
    packets: u64,
    position: Position,
}

impl Confirmed {
    /// Records the position that the client had when it connected.
    pub(super) fn start_at(&mut self, position: Position) {
        self.confirmed = Some(position);
        self.written = Some(position);
    }

    /// Returns the position that the client has certainly received.
    pub(super) const fn received(&self) -> Option<Position> {
        self.confirmed
    }

    /// Returns the position that was written last, whether or not it arrived.
    pub(super) const fn written(&self) -> Option<Position> {
        self.written
    }

    /// Records that a packet was written which brings the client to `position`. The replay of one
    /// room goes back; the position of its client does not.
    pub(super) fn record_write(&mut self, position: Position) {
        let goes_back = self
            .written
            .is_some_and(|last| last.epoch() == position.epoch() && last.n() > position.n());
        if !goes_back {
            self.written = Some(position);
        }
    }

    /// Records that a ping was written after `packets` packets.
    pub(super) fn record_ping(&mut self, packets: u64) {
        self.ping = self
            .written
            .map(|position| PendingPing { packets, position });
    }

    /// Records that the client answered a ping that was written after `packets` packets.
    pub(super) fn record_pong(&mut self, packets: u64) {
        if let Some(ping) = self.ping.take_if(|ping| ping.packets <= packets) {
            self.confirmed = Some(ping.position);
        }
    }
}
