//! Waiting for credit, and for packets to be written. [`credit`](super::credit) keeps the count.

use std::sync::atomic::Ordering;

use super::{Session, state::SessionState};
use crate::{device::SignOfLife, values::time};

impl Session {
    /// Gives credit back for the packets that were written since the last call. If the transport
    /// counts nothing, every packet that was taken counts as written.
    pub(super) fn apply_progress(&self, state: &mut SessionState) {
        let Some(progress) = self.port.progress() else {
            state.outbox_mut().assume_taken_is_written();
            return;
        };
        state.outbox_mut().apply_progress(progress);
        // The transport wakes the session's task at each pong, so that this is soon.
        if self.pongs.swap(progress.pongs, Ordering::Relaxed) != progress.pongs {
            self.heard_at.store(time::unix_ms(), Ordering::Relaxed);
        }
    }

    /// Records what the transport has written, and that the client has answered a ping.
    pub(crate) fn note_progress(&self) {
        let mut state = self.state();
        self.apply_progress(&mut state);
    }

    /// Returns the last sign of life of the client, as of the last applied progress.
    pub(super) fn sign_of_life(&self) -> SignOfLife {
        SignOfLife {
            pongs: self.pongs.load(Ordering::Relaxed),
            heard_at: self.heard_at.load(Ordering::Relaxed),
        }
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
        self.in_flight()
    }
}
