//! The work of a session: it writes what is queued, handles one inbound event at a time, takes one
//! step of catching up at a time, decides all rechecks of the session side by side, and answers
//! `rt:sync`.
//!
//! A transport drives a session in a task. Most sessions are quiet most of the time: they are live
//! and have nothing to do but to deliver what the dispatcher offers them. A transport that delivers
//! without a task may stop driving a quiet session, which frees the memory of this work, until
//! something wakes it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt as _, future::OptionFuture};
use tokio::{
    sync::Notify,
    time::{Instant, Sleep},
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    EndReason, Inbound, InboundEvents, Outgoing, Session, expiry::TokenTimer, finish::InboundWork,
    phase::Intake, unfinished::Unfinished,
};
use crate::node::Node;

/// The way in which a session's packets reach its transport.
pub(crate) trait PacketWriter {
    /// Writes the packets that the session has queued: takes them with [`Session::take`] until it
    /// returns `None`, or until the transport takes no more for now. Returns how many of them were
    /// entries.
    ///
    /// # Errors
    /// Returns why the session must end.
    fn write_queued(&mut self, session: &Session) -> Result<usize, EndReason>;

    /// Writes the last packet of a session, which has ended. A connection that does not take it
    /// closes without it.
    fn write_last(&mut self, packet: Outgoing);
}

/// A function that writes one packet.
impl<W: FnMut(Outgoing) -> Result<(), EndReason>> PacketWriter for W {
    fn write_queued(&mut self, session: &Session) -> Result<usize, EndReason> {
        let mut entries = 0;
        while let Some(outgoing) = session.take() {
            entries += usize::from(outgoing.is_entry());
            self(outgoing)?;
        }
        Ok(entries)
    }

    fn write_last(&mut self, packet: Outgoing) {
        self(packet).ok();
    }
}

/// Drives the session to its end, and then writes `rt:end`, also if an embedder's handler or policy
/// panicked: the client then reconnects instead of waiting for a session without a task. Handlers
/// that have begun [finish](super::finish) in a task of their own.
///
/// When the session is woken after `pause` is set, nothing more is written here. Returns the work
/// of the session then, which goes on wherever it is driven next.
pub(crate) async fn drive(
    session: Arc<Session>,
    node: Arc<Node>,
    events: InboundEvents,
    wake: &Notify,
    pause: &AtomicBool,
    mut writer: impl PacketWriter,
) -> Option<SessionDriver> {
    let mut driver = SessionDriver::new(session, node, events);
    let rest = Rest::WhenPaused(pause);
    match driver.drive_until(rest, wake, &mut writer).await {
        Driven::Resting => Some(driver),
        Driven::Ended => {
            driver.finish();
            None
        }
    }
}

/// The work of one session, and what it needs for it.
pub(crate) struct SessionDriver {
    session: Arc<Session>,
    node: Arc<Node>,
    work: InboundWork,
    /// The rest of the work, while the session is not driven. A quiet session has none.
    unfinished: Option<Box<Unfinished>>,
    /// Until the session has ended, and what it finishes has begun: a drain waits for both.
    _running: TaskTrackerToken,
}

/// The result of driving a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driven {
    /// There is nothing to do until the session is woken, an event arrives, or its token expires;
    /// or its work has been paused.
    Resting,
    /// The session has ended.
    Ended,
}

impl SessionDriver {
    pub(crate) fn new(session: Arc<Session>, node: Arc<Node>, events: InboundEvents) -> Self {
        Self {
            _running: node.finishing().session_task(),
            work: InboundWork::new(events),
            unfinished: None,
            session,
            node,
        }
    }

    /// Drives the session until it is quiet or has ended. In the end its last packet is written.
    ///
    /// Not cancel safe: dropping the future ends the session.
    pub(crate) async fn drive_until_quiet(
        &mut self,
        wake: &Notify,
        writer: &mut impl PacketWriter,
    ) -> Driven {
        self.drive_until(Rest::WhenQuiet, wake, writer).await
    }

    async fn drive_until(
        &mut self,
        rest: Rest<'_>,
        wake: &Notify,
        writer: &mut impl PacketWriter,
    ) -> Driven {
        let mut writer = LastPacketWriter::new(&self.session, &self.node, writer);
        let mut running = SessionWork {
            session: &self.session,
            node: &self.node,
            work: &mut self.work,
            unfinished: self.unfinished.take().unwrap_or_default(),
        };
        let driven = running.serve(wake, &mut writer, rest).await;
        if driven == Driven::Resting {
            writer.is_resting = true;
            let unfinished = running.unfinished;
            self.unfinished = matches!(rest, Rest::WhenPaused(_)).then_some(unfinished);
        }
        driven
    }

    /// Lets the events of the session, which has ended, be finished.
    pub(crate) fn finish(self) {
        self.work.finish(&self.session, &self.node);
    }
}

/// Ends the session when it is dropped, unless it rests, and writes its last packet. Nothing
/// else writes to the client: nothing follows the last packet.
struct LastPacketWriter<'a, W: PacketWriter> {
    session: &'a Session,
    node: &'a Node,
    writer: &'a mut W,
    is_resting: bool,
}

impl<'a, W: PacketWriter> LastPacketWriter<'a, W> {
    const fn new(session: &'a Session, node: &'a Node, writer: &'a mut W) -> Self {
        Self {
            session,
            node,
            writer,
            is_resting: false,
        }
    }

    /// Writes every packet that is queued, unless the transport wants the session to end.
    fn write_all(&mut self) -> Result<(), EndReason> {
        if let Some(reason) = self.session.port.wants_end() {
            return Err(reason);
        }
        let entries = self.writer.write_queued(self.session)?;
        self.session.record_written(entries);
        Ok(())
    }
}

impl<W: PacketWriter> Drop for LastPacketWriter<'_, W> {
    fn drop(&mut self) {
        if self.is_resting {
            return;
        }
        // The first reason counts: this one does if the task has panicked.
        self.node.end(self.session, EndReason::Failed);
        if let Some(last) = self.session.last_packet() {
            self.writer.write_last(last);
        }
    }
}

/// The time when a session that has not ended is not driven any more.
#[derive(Clone, Copy)]
enum Rest<'a> {
    WhenQuiet,
    WhenPaused(&'a AtomicBool),
}

/// The work of a session while it is driven.
struct SessionWork<'a> {
    session: &'a Arc<Session>,
    node: &'a Arc<Node>,
    work: &'a mut InboundWork,
    unfinished: Box<Unfinished>,
}

impl SessionWork<'_> {
    /// Serves the session.
    ///
    /// Packets are written before each wait. The arms of the wait, in order:
    /// 1. The session has ended.
    /// 2. Its token is to be looked at: it may have expired, or expire soon.
    /// 3. It has waited too long for `rt:resume`.
    /// 4. An inbound event is handled.
    /// 5. A recheck is decided.
    /// 6. The head of the log was read for a fence, or the time of one is up.
    /// 7. A step of catching up is done.
    /// 8. There is an inbound event that the session takes in its phase ([`Intake`]). It takes none
    ///    while another one is being handled.
    /// 9. Something was queued, or written, or a recheck is requested.
    async fn serve<W: PacketWriter>(
        &mut self,
        wake: &Notify,
        writer: &mut LastPacketWriter<'_, W>,
        rest: Rest<'_>,
    ) -> Driven {
        let session = self.session;
        let mut token_timer = TokenTimer::new(session);
        loop {
            if matches!(rest, Rest::WhenPaused(pause) if pause.load(Ordering::SeqCst)) {
                return Driven::Resting;
            }
            token_timer.follow(session);
            session.announce_expiry();
            let fence_deadline = session.answer_fences();
            if let Err(reason) = writer.write_all() {
                session.end(reason);
                return Driven::Ended;
            }
            self.begin_work();
            if matches!(rest, Rest::WhenQuiet) && self.is_quiet() {
                return Driven::Resting;
            }
            let intake = self.intake();
            let unfinished = &mut *self.unfinished;
            tokio::select! {
                biased;
                () = session.ended() => return Driven::Ended,
                Some(()) = token_timer.elapsed() => {
                    if session.is_expired() {
                        session.end(EndReason::Expired);
                        return Driven::Ended;
                    }
                    token_timer = TokenTimer::new(session);
                }
                () = &mut unfinished.resume_timeout, if intake == Intake::OnlyResume => {
                    session.state().stop_awaiting_resume();
                }
                Some(()) = OptionFuture::from(self.work.handling.as_mut()) => {
                    self.work.handling = None;
                }
                Some(()) = unfinished.deciding.next() => {}
                Some(()) = unfinished.head_reads.next() => {}
                Some(()) = sleep_until(fence_deadline) => {}
                Some(()) = OptionFuture::from(unfinished.step.as_mut()) => unfinished.step = None,
                event = self.work.events.next(intake), if intake != Intake::Nothing => {
                    self.take_event(event, intake);
                }
                () = wake.notified() => {}
            }
        }
    }

    /// Returns whether there is nothing to do.
    fn is_quiet(&self) -> bool {
        let is_idle = self.unfinished.is_empty() && self.work.handling.is_none();
        is_idle
            && self.work.events.is_empty()
            && self.session.is_quiet()
            && !self.session.is_expired()
    }

    /// Begins what is to be done beside inbound events.
    fn begin_work(&mut self) {
        self.begin_rechecks();
        self.begin_fences();
        self.begin_step();
    }

    /// Begins to decide the rechecks that were requested and are not being decided.
    fn begin_rechecks(&self) {
        let begun = self.session.state().begin_rechecks();
        for recheck in begun {
            let session = Arc::clone(self.session);
            let node = Arc::clone(self.node);
            let deciding = async move { session.decide_recheck(&node, recheck).await };
            self.unfinished.deciding.push(Box::pin(deciding));
        }
    }

    /// Begins to read the head of the log for the fences that were requested.
    fn begin_fences(&self) {
        let begun = self.session.state().begin_fences();
        for fence in begun {
            let session = Arc::clone(self.session);
            let reading = session.read_fence_head(Arc::clone(self.node), fence);
            self.unfinished.head_reads.push(Box::pin(reading));
        }
    }

    /// Begins a step of the start or of catching up, if there is one to take.
    fn begin_step(&mut self) {
        if self.unfinished.step.is_some() || !self.session.state().can_step() {
            return;
        }
        let session = Arc::clone(self.session);
        let node = Arc::clone(self.node);
        self.unfinished.step = Some(Box::pin(async move { session.catch_up(&node).await }));
    }

    fn intake(&self) -> Intake {
        match &self.work.handling {
            Some(_) => Intake::Nothing,
            None => self.session.intake(),
        }
    }

    fn take_event(&mut self, event: Inbound, intake: Intake) {
        if intake == Intake::OnlyResume {
            return self.work.events.take_before_resume(self.session, event);
        }
        let session = Arc::clone(self.session);
        let handling = session.handle(Arc::clone(self.node), event);
        self.work.handling = Some(Box::pin(handling));
    }
}

/// Sleeps until the deadline, if there is one.
fn sleep_until(deadline: Option<Instant>) -> OptionFuture<Pin<Box<Sleep>>> {
    // On the heap: few sessions have one at any moment.
    let sleep = deadline.map(|at| Box::pin(tokio::time::sleep_until(at)));
    OptionFuture::from(sleep)
}

impl Session {
    /// Counts entries that were written, and wakes those who wait for that.
    pub(crate) fn record_written(&self, entries: usize) {
        self.counters.delivered.add(entries);
        self.written.notify_waiters();
    }
}
