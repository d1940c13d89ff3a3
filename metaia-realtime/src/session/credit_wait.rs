//! Waiting for credit, and for packets to be written. [`credit`](super::credit) keeps the count.

use super::{Session, state::SessionState};

impl Session {
    /// Gives credit back for the packets that were written since the last call. If the transport
    /// counts nothing, every packet that was taken counts as written.
    ///
    /// Returns how many pings the client has answered.
    pub(super) fn apply_progress(&self, state: &mut SessionState) -> u64 {
        let Some(progress) = self.port.progress() else {
            state.outbox_mut().assume_taken_is_written();
            return 0;
        };
        state.outbox_mut().apply_progress(progress);
        progress.pongs
    }

    /// Returns whether the session has credit for a packet of `size` bytes now.
    pub(crate) fn has_credit(&self, size: usize) -> bool {
        let mut state = self.state();
        self.apply_progress(&mut state);
        state.outbox().has_credit(size)
    }

    /// Waits until the session has credit for a packet of `size` bytes. Cancel safe.
    pub(super) async fn wait_for_credit(&self, size: usize) {
        loop {
            // Before the check: a write between the two is not missed.
            let written = self.written.notified();
            if self.has_credit(size) {
                return;
            }
            written.await;
        }
    }

    /// Waits until every packet that was handed over is written, or the session has ended. Cancel
    /// safe.
    pub(crate) async fn flushed(&self) {
        tokio::select! {
            () = self.all_written() => {}
            () = self.ended() => {}
        }
    }

    async fn all_written(&self) {
        loop {
            // Before the check: a write between the two is not missed.
            let written = self.written.notified();
            if self.in_flight() == 0 {
                return;
            }
            written.await;
        }
    }

    fn in_flight(&self) -> usize {
        let mut state = self.state();
        self.apply_progress(&mut state);
        state.outbox().in_flight()
    }

    /// Returns how many packets wait in the session or in the transport.
    pub(crate) fn waiting(&self) -> usize {
        self.state().outbox().in_flight()
    }
}
