//! Deadlines: pings, and the ends of clients that do not answer or do not read.

use std::{future::Future as _, task::Context};

use tokio::time::Instant;

use super::{Conversation, Due, Lost};
use crate::transport::socketio::direct::{
    frames::text_frame, heartbeat::PingDue, writer::FrameKind,
};

impl Conversation {
    /// Does what is due.
    pub(super) fn poll_time(&mut self, cx: &mut Context<'_>) -> Result<Due, Lost> {
        let deadline = self.deadline();
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return Ok(Due::Nothing);
        }
        self.take_due()
    }

    fn deadline(&self) -> Instant {
        let deadline = self.heartbeat.deadline();
        let deadline = self.alarm.map_or(deadline, |alarm| alarm.min(deadline));
        self.stall_deadline()
            .map_or(deadline, |stalled| stalled.min(deadline))
    }

    fn stall_deadline(&self) -> Option<Instant> {
        let since = self.connection.blocked_since()?;
        since.checked_add(self.write_stall)
    }

    fn take_due(&mut self) -> Result<Due, Lost> {
        let now = Instant::now();
        if self
            .stall_deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            return Err(Lost::Slow);
        }
        match self.heartbeat.due(now) {
            PingDue::Nothing => {}
            PingDue::Ping => self.connection.send(text_frame("2"), FrameKind::Ping),
            PingDue::TimedOut => return Ok(Due::Pong),
        }
        if self.alarm.is_some_and(|alarm| alarm <= now) {
            self.alarm = None;
            return Ok(Due::Alarm);
        }
        Ok(Due::Again)
    }
}
