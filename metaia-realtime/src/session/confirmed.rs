//! What a client has certainly received: all that was written before the last ping that it
//! answered. A pure kernel.

use crate::Position;

/// Follows the positions of what is written, and the pings between.
#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    at: Option<Position>,
    /// Of what was written last.
    written: Option<Position>,
    /// The last ping: how many packets, and which position, were written before it.
    ping: Option<(u64, Position)>,
}

impl Confirmed {
    /// The client was here when it came.
    pub(super) fn begin(&mut self, at: Position) {
        (self.at, self.written) = (Some(at), Some(at));
    }

    pub(super) const fn at(&self) -> Option<Position> {
        self.at
    }

    /// What was written, whether or not it arrived.
    pub(super) const fn written(&self) -> Option<Position> {
        self.written
    }

    /// A packet was written after which the client stands at `at`. One room's replay goes back, its
    /// client does not.
    pub(super) fn write(&mut self, at: Position) {
        let back = self
            .written
            .is_some_and(|before| before.epoch() == at.epoch() && before.n() > at.n());
        if !back {
            self.written = Some(at);
        }
    }

    /// A ping follows the packet number `packets`.
    pub(super) fn ping(&mut self, packets: u64) {
        self.ping = self.written.map(|at| (packets, at));
    }

    /// The client has answered a ping that followed packet number `packets`.
    pub(super) fn answer(&mut self, packets: u64) {
        if let Some((_, at)) = self.ping.take_if(|(before, _)| *before <= packets) {
            self.at = Some(at);
        }
    }
}
