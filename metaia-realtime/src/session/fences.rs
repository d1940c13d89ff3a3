//! Fences: requests of `rt:sync` that are not answered yet. A pure kernel.
//!
//! A fence covers the logged events of the rooms that the session was in at the request. Once it is
//! answered, each of them that was committed before the request has been handed over, or never will
//! be: it precedes the session's time in its room, the session has left the room, or the client was
//! told to reload.
//!
//! A fence goes through three stages:
//!
//! 1. The head of the log is read, after the request: the fence covers everything up to it.
//! 2. The session's cursor reaches that head. It does so when the node has dispatched the head and
//!    the session is live; otherwise by catching up. An undecided recheck keeps the cursor before
//!    what it withholds, and so the fence, too.
//! 3. The answer is queued behind everything that was handed over until then.
//!
//! If the client is told to reload, entries of an older epoch will never be handed over: the fence
//! is reached at the reset.
//!
//! At the edges: 8 fences wait (`MAX_WAITING`), and a further one is refused. A fence that is not
//! reached within 10 s (`FENCE_TIMEOUT`) is refused, too.

use std::time::Duration;

use tokio::time::Instant;

use super::phase::Cursor;
use crate::{Position, Room};

/// The most fences of a session that wait.
pub(super) const MAX_WAITING: usize = 8;

/// The time after which a fence that is not reached is refused.
pub(super) const FENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// The number of a fence in its session. A later one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FenceId(u64);

/// A request that waits.
#[derive(Debug)]
pub(super) struct Fence {
    id: FenceId,
    /// The id under which the client wants the answer.
    pub(super) ack: i64,
    /// The rooms that the session was in at the request.
    pub(super) rooms: Vec<Room>,
    deadline: Instant,
    /// The session reads the head of the log for it, or has read it.
    has_begun: bool,
    /// The head of the log, once it is known.
    upto: Option<Position>,
}

/// A fence for which the head of the log is to be read now.
#[derive(Debug, Clone, Copy)]
pub(super) struct FenceToRead {
    pub(super) id: FenceId,
    /// The time when the fence is refused.
    pub(super) deadline: Instant,
}

/// Error of a request beyond [`MAX_WAITING`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManyFences;

/// A fence that the session's cursor has reached.
#[derive(Debug)]
pub(super) struct ReachedFence {
    pub(super) ack: i64,
    pub(super) rooms: Vec<Room>,
    /// The position up to which the log is covered.
    pub(super) at: Position,
}

/// The fences of a session that wait, in the order of their requests.
#[derive(Debug, Default)]
pub(super) struct Fences {
    waiting: Vec<Fence>,
    last: FenceId,
}

impl Fences {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a fence of a session that is in `rooms`.
    ///
    /// # Errors
    /// Returns [`TooManyFences`] if as many wait as may.
    pub(super) fn request(
        &mut self,
        ack: i64,
        rooms: Vec<Room>,
        now: Instant,
    ) -> Result<(), TooManyFences> {
        if self.waiting.len() >= MAX_WAITING {
            return Err(TooManyFences);
        }
        self.last.0 += 1;
        self.waiting.push(Fence {
            id: self.last,
            ack,
            rooms,
            deadline: now + FENCE_TIMEOUT,
            has_begun: false,
            upto: None,
        });
        Ok(())
    }

    /// Returns the fences for which the head is to be read, each once.
    pub(super) fn begin(&mut self) -> Vec<FenceToRead> {
        let mut begun = Vec::new();
        for fence in self.waiting.iter_mut().filter(|fence| !fence.has_begun) {
            fence.has_begun = true;
            begun.push(FenceToRead {
                id: fence.id,
                deadline: fence.deadline,
            });
        }
        begun
    }

    /// Records the head of the log, which was read after the request.
    pub(super) fn set_head(&mut self, id: FenceId, head: Position) {
        let fence = self.waiting.iter_mut().find(|fence| fence.id == id);
        if let Some(fence) = fence {
            fence.upto = Some(head);
        }
    }

    /// Records that the client is told to reload, and continues after `head`. Nothing of another
    /// epoch will be handed over any more.
    pub(super) fn reset_at(&mut self, head: Position) {
        let heads = self
            .waiting
            .iter_mut()
            .filter_map(|fence| fence.upto.as_mut());
        for upto in heads.filter(|upto| upto.epoch() != head.epoch()) {
            *upto = head;
        }
    }

    /// Removes the fences that the cursor has reached.
    pub(super) fn take_reached(&mut self, cursor: Cursor) -> Vec<ReachedFence> {
        let is_reached = |upto: &Position| upto.epoch() == cursor.epoch() && upto.n() <= cursor.n();
        let mut reached = Vec::new();
        for fence in std::mem::take(&mut self.waiting) {
            match fence.upto.filter(is_reached) {
                Some(at) => reached.push(ReachedFence {
                    ack: fence.ack,
                    rooms: fence.rooms,
                    at,
                }),
                None => self.waiting.push(fence),
            }
        }
        reached
    }

    /// Removes the fences whose time is up, and returns the ids under which they are answered.
    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<i64> {
        let expired = self.waiting.extract_if(.., |fence| fence.deadline <= now);
        expired.map(|fence| fence.ack).collect()
    }

    /// Returns the time when the first of the fences is refused.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.first().map(|fence| fence.deadline)
    }
}
