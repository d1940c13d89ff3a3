//! The position up to which a client has certainly received everything: the one before the last
//! ping that it answered. A pure kernel.

use crate::Position;

/// The positions of the packets that were written, and of the pings between them.
#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    /// The position that the client has certainly received.
    confirmed: Option<Position>,
    /// The position that was written last.
    written: Option<Position>,
    /// The last ping that is not answered yet.
    ping: Option<PendingPing>,
}

/// A ping, with the packets and the position that were written before it.
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

    /// Records that a packet was written after which the client is at `position`. Replaying one
    /// room sends older entries. The client's position never goes back.
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
