//! The fences of a session, and its cursor, which reaches them.

use tokio::time::Instant;

use super::SessionState;
use crate::{
    Position, Room,
    session::{
        fences::{FenceId, FenceToRead, ReachedFence, TooManyFences},
        phase::Phase,
    },
};

impl SessionState {
    /// Adds a fence for the rooms that the session is in now. Its answer has the id `ack`.
    ///
    /// # Errors
    /// Returns [`TooManyFences`] if as many wait as may.
    pub(in crate::session) fn request_fence(
        &mut self,
        ack: i64,
        now: Instant,
    ) -> Result<(), TooManyFences> {
        let rooms: Vec<Room> = self.rooms().cloned().collect();
        self.fences.request(ack, rooms, now)
    }

    /// Returns the fences for which the session's task is to read the head of the log now.
    pub(in crate::session) fn begin_fences(&mut self) -> Vec<FenceToRead> {
        self.fences.begin()
    }

    /// Records that the fence covers the log up to `head`, which the node has dispatched.
    pub(in crate::session) fn set_fence_head(&mut self, id: FenceId, head: Position) {
        // A live session was offered everything up to there. Otherwise the cursor stays: it is
        // moved by catching up.
        if matches!(self.phase, Phase::Live(_)) && self.is_in_epoch(head.epoch()) {
            self.phase.advance_to(head.n());
        }
        self.fences.set_head(id, head);
    }

    /// Removes the fences that the cursor has reached.
    pub(in crate::session) fn take_reached_fences(&mut self) -> Vec<ReachedFence> {
        match self.phase.cursor() {
            Some(cursor) => self.fences.take_reached(cursor),
            None => Vec::new(),
        }
    }

    /// Removes the fences whose time is up, and returns the ids under which they are answered.
    pub(in crate::session) fn take_expired_fences(&mut self, now: Instant) -> Vec<i64> {
        self.fences.take_expired(now)
    }

    /// Returns the time when the first of the fences is refused; `None` if none waits.
    pub(in crate::session) fn next_fence_deadline(&self) -> Option<Instant> {
        self.fences.next_deadline()
    }

    /// Returns how many times the client was told to reload.
    pub(in crate::session) const fn resets(&self) -> u32 {
        self.resets
    }
}
