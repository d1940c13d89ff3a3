//! The transitions between the phases of a session.

use super::{BeforeStart, CatchingUp, Cursor, PendingReady, Phase};
use crate::{Position, session::ConnectRequest};

/// Until the session has a cursor.
impl Phase {
    /// Adds the client's `rt:resume` to what it asked for when it connected. Members that it does
    /// not name keep their values.
    pub(in crate::session) fn apply_resume(&mut self, request: ConnectRequest, ack: Option<i64>) {
        if let Self::AwaitingResume(before) = self {
            before.request.update(request);
            before.starting.resume_ack = ack;
            self.stop_awaiting_resume();
        }
    }

    /// Stops awaiting `rt:resume`: what the client asked for when it connected counts.
    pub(in crate::session) fn stop_awaiting_resume(&mut self) {
        if let Self::AwaitingResume(before) = self {
            *self = Self::NotBegun(std::mem::take(before));
        }
    }

    /// Begins the start. Returns what the client asked for, or `None` if the start must wait or has
    /// begun before.
    pub(in crate::session) fn begin_start(&mut self) -> Option<ConnectRequest> {
        let Self::NotBegun(before) = self else {
            return None;
        };
        let request = std::mem::take(&mut before.request);
        *self = Self::Starting(before.starting);
        Some(request)
    }

    /// Completes the start: the session catches up after `position`, which is one that the client
    /// showed if `recovered`. Returns whether the session was starting.
    pub(in crate::session) fn complete_start(
        &mut self,
        position: Position,
        recovered: bool,
    ) -> bool {
        let Self::Starting(starting) = *self else {
            return false;
        };
        let ready = PendingReady {
            recovered,
            replayed: 0,
            resume_ack: starting.resume_ack,
        };
        *self = Self::CatchingUp(CatchingUp::new(Cursor::at(position), Some(ready)));
        if starting.has_lost_history {
            self.lose_history();
        }
        true
    }
}

/// With a cursor.
impl Phase {
    /// Moves the cursor forward to `n`: every entry up to it was examined.
    pub(in crate::session) fn advance_to(&mut self, n: u64) {
        if let Self::CatchingUp(CatchingUp { cursor, .. }) | Self::Live(cursor) = self {
            *cursor = cursor.advanced_to(n);
        }
    }

    /// Moves the cursor to entry `n`, which catching up hands over.
    pub(in crate::session) fn replay(&mut self, n: u64) {
        if let Self::CatchingUp(catching_up) = self {
            catching_up.cursor = catching_up.cursor.advanced_to(n);
            catching_up.blocked_entry_size = 0;
            if let Some(ready) = &mut catching_up.ready {
                ready.replayed += 1;
            }
        }
    }

    /// Records that catching up had no credit for an entry of `size` bytes.
    pub(in crate::session) fn block(&mut self, size: usize) {
        if let Self::CatchingUp(catching_up) = self {
            catching_up.blocked_entry_size = size;
        }
    }

    /// Goes live: every entry up to `n` was handed over. Returns what `rt:ready` is to say, if it
    /// was not sent yet.
    pub(in crate::session) fn go_live(&mut self, n: u64) -> Option<PendingReady> {
        match *self {
            Self::CatchingUp(catching_up) if !catching_up.is_paused => {
                *self = Self::Live(catching_up.cursor.advanced_to(n));
                catching_up.ready
            }
            _ => None,
        }
    }

    /// Takes nothing from the dispatcher from here on. `offered` is the last entry that a live
    /// session was offered.
    pub(in crate::session) fn fall_back(&mut self, offered: u64) {
        if let Self::Live(cursor) = *self {
            *self = Self::CatchingUp(CatchingUp::new(cursor.advanced_to(offered), None));
        }
    }

    /// Falls back as by [`fall_back`](Self::fall_back), and hands over nothing until
    /// [`end_join_pause`](Self::end_join_pause).
    pub(in crate::session) fn pause_for_join(&mut self, offered: u64) {
        self.fall_back(offered);
        self.set_paused(true);
    }

    /// Continues catching up after a join with a replay.
    pub(in crate::session) fn end_join_pause(&mut self) {
        self.set_paused(false);
    }

    fn set_paused(&mut self, is_paused: bool) {
        if let Self::CatchingUp(catching_up) | Self::Resetting(catching_up) = self {
            catching_up.is_paused = is_paused;
        }
    }

    /// Hands over nothing until [`reset`](Self::reset), since the log has a new epoch. A session
    /// without a cursor remembers it.
    pub(in crate::session) fn lose_history(&mut self) {
        match self {
            Self::AwaitingResume(BeforeStart { starting, .. })
            | Self::NotBegun(BeforeStart { starting, .. })
            | Self::Starting(starting) => starting.has_lost_history = true,
            Self::CatchingUp(catching_up) => *self = Self::Resetting(*catching_up),
            Self::Resetting(_) => {}
            Self::Live(cursor) => *self = Self::Resetting(CatchingUp::new(*cursor, None)),
        }
    }

    /// Moves the cursor to `head`, since the client is told to reload. It is sent `rt:ready` again
    /// when the session is live. A pause goes on.
    ///
    /// Returns `false` if the start has not begun: there is nothing to reset.
    pub(in crate::session) fn reset(&mut self, head: Position) -> bool {
        let mut after = CatchingUp::new(Cursor::at(head), None);
        let resume_ack = match self {
            Self::AwaitingResume(_) | Self::NotBegun(_) => return false,
            Self::Starting(starting) => starting.resume_ack,
            Self::CatchingUp(before) | Self::Resetting(before) => {
                after.is_paused = before.is_paused;
                before.ready.and_then(|ready| ready.resume_ack)
            }
            Self::Live(_) => None,
        };
        after.ready = Some(PendingReady {
            resume_ack,
            ..PendingReady::default()
        });
        *self = Self::CatchingUp(after);
        true
    }
}
