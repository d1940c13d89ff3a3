//! The work of a session: it writes what is queued, handles one inbound event at a time, takes one
//! step of catching up at a time, and decides all rechecks of the session side by side.
//!
//! A transport drives a session in a task. Most sessions are quiet most of the time: they are live
//! and have nothing to do but to deliver what the dispatcher offers them. A transport that delivers
//! without a task may stop driving a quiet session, which frees the memory of this work, until
//! something wakes it.

use std::{sync::Arc, time::Duration};

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, OptionFuture},
    stream::FuturesUnordered,
};
use tokio::sync::Notify;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    EndReason, Inbound, InboundEvents, Outgoing, Session, finish::InboundWork, phase::Intake,
};
use crate::node::Node;

/// The time for which a session waits for the `rt:resume` that its client has announced.
const RESUME_EVENT_TIMEOUT: Duration = Duration::from_secs(5);

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
pub(crate) async fn drive(
    session: Arc<Session>,
    node: Arc<Node>,
    events: InboundEvents,
    wake: &Notify,
    mut writer: impl PacketWriter,
) {
    let mut driver = SessionDriver::new(session, node, events);
    driver.drive_to_end(wake, &mut writer).await;
    driver.finish();
}

/// The work of one session, and what it needs for it.
pub(crate) struct SessionDriver {
    session: Arc<Session>,
    node: Arc<Node>,
    work: InboundWork,
    /// Until the session has ended, and what it finishes has begun: a drain waits for both.
    _running: TaskTrackerToken,
}

/// The result of driving a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driven {
    /// There is nothing to do until the session is woken, an event arrives, or its token expires.
    Quiet,
    /// The session has ended.
    Ended,
}

impl SessionDriver {
    pub(crate) fn new(session: Arc<Session>, node: Arc<Node>, events: InboundEvents) -> Self {
        Self {
            _running: node.finishing().session_task(),
            work: InboundWork::new(events),
            session,
            node,
        }
    }

    /// Drives the session to its end.
    async fn drive_to_end(&mut self, wake: &Notify, writer: &mut impl PacketWriter) {
        let writer = LastPacketWriter::new(&self.session, &self.node, writer);
        let running = SessionWork::new(&self.session, &self.node, &mut self.work);
        running.serve(wake, writer, Rest::Never).await;
    }

    /// Drives the session until it is quiet or has ended. In the end its last packet is written.
    ///
    /// Not cancel safe: dropping the future ends the session.
    pub(crate) async fn drive_until_quiet(
        &mut self,
        wake: &Notify,
        writer: &mut impl PacketWriter,
    ) -> Driven {
        let writer = LastPacketWriter::new(&self.session, &self.node, writer);
        let running = SessionWork::new(&self.session, &self.node, &mut self.work);
        running.serve(wake, writer, Rest::WhenQuiet).await
    }

    /// Lets the events of the session, which has ended, be finished.
    pub(crate) fn finish(self) {
        self.work.finish(&self.session, &self.node);
    }
}

/// Ends the session when it is dropped, unless it is quiet, and writes its last packet. Nothing
/// else writes to the client: nothing follows the last packet.
struct LastPacketWriter<'a, W: PacketWriter> {
    session: &'a Session,
    node: &'a Node,
    writer: &'a mut W,
    is_quiet: bool,
}

impl<'a, W: PacketWriter> LastPacketWriter<'a, W> {
    const fn new(session: &'a Session, node: &'a Node, writer: &'a mut W) -> Self {
        Self {
            session,
            node,
            writer,
            is_quiet: false,
        }
    }

    /// Writes every packet that is queued, unless the transport wants the session to end.
    fn write_all(&mut self) -> Result<(), EndReason> {
        if let Some(reason) = self.session.port.wants_end() {
            return Err(reason);
        }
        let entries = self.writer.write_queued(self.session)?;
        self.session.record_written(entries);
        // A transport that has written at once has given credit back.
        self.session.note_progress();
        Ok(())
    }
}

impl<W: PacketWriter> Drop for LastPacketWriter<'_, W> {
    fn drop(&mut self) {
        if self.is_quiet {
            return;
        }
        // The first reason counts: this one does if the task has panicked.
        self.node.end(self.session, EndReason::Failed);
        if let Some(last) = self.session.last_packet() {
            self.writer.write_last(last);
        }
    }
}

/// The permission to rest while a session is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Never,
    WhenQuiet,
}

/// The work of a session while it is driven.
struct SessionWork<'a> {
    session: &'a Arc<Session>,
    node: &'a Arc<Node>,
    work: &'a mut InboundWork,
    step: Option<BoxFuture<'static, ()>>,
}

impl<'a> SessionWork<'a> {
    const fn new(
        session: &'a Arc<Session>,
        node: &'a Arc<Node>,
        work: &'a mut InboundWork,
    ) -> Self {
        Self {
            session,
            node,
            work,
            step: None,
        }
    }

    /// Serves the session.
    ///
    /// Packets are written before each wait. The arms of the wait, in order:
    /// 1. The session has ended.
    /// 2. Its token has expired.
    /// 3. It has waited for `rt:resume` for 5 s (`RESUME_EVENT_TIMEOUT`).
    /// 4. An inbound event is handled.
    /// 5. A recheck is decided.
    /// 6. A step of catching up is done.
    /// 7. There is an inbound event that the session takes in its phase ([`Intake`]). It takes none
    ///    while another one is being handled.
    /// 8. Something was queued, or written, or a recheck is requested.
    async fn serve<W: PacketWriter>(
        mut self,
        wake: &Notify,
        mut writer: LastPacketWriter<'_, W>,
        rest: Rest,
    ) -> Driven {
        let session = self.session;
        // At most one per order room, and one more if the session has left it and is in it again.
        let mut deciding = FuturesUnordered::new();
        let mut token_expiry = Box::pin(session.expired());
        let mut resume_timeout = Box::pin(tokio::time::sleep(RESUME_EVENT_TIMEOUT));
        loop {
            if let Err(reason) = writer.write_all() {
                session.end(reason);
                return Driven::Ended;
            }
            deciding.extend(begin_rechecks(session, self.node));
            self.begin_step();
            if rest == Rest::WhenQuiet && deciding.is_empty() && self.is_quiet() {
                writer.is_quiet = true;
                return Driven::Quiet;
            }
            let intake = self.intake();
            tokio::select! {
                biased;
                () = session.ended() => return Driven::Ended,
                () = &mut token_expiry => {
                    session.end(EndReason::Expired);
                    return Driven::Ended;
                }
                () = &mut resume_timeout, if intake == Intake::OnlyResume => {
                    session.state().stop_awaiting_resume();
                }
                Some(()) = OptionFuture::from(self.work.handling.as_mut()) => {
                    self.work.handling = None;
                }
                Some(()) = deciding.next() => {}
                Some(()) = OptionFuture::from(self.step.as_mut()) => self.step = None,
                event = self.work.events.next(intake), if intake != Intake::Nothing => {
                    self.take_event(event, intake);
                }
                () = wake.notified() => {}
            }
        }
    }

    /// Returns whether there is nothing to do.
    fn is_quiet(&self) -> bool {
        let is_idle = self.step.is_none() && self.work.handling.is_none();
        is_idle
            && self.work.events.is_empty()
            && self.session.is_quiet()
            && !self.session.is_expired()
    }

    /// Begins a step of the start or of catching up, if there is one to take.
    fn begin_step(&mut self) {
        if self.step.is_some() || !self.session.state().can_step() {
            return;
        }
        let session = Arc::clone(self.session);
        let node = Arc::clone(self.node);
        self.step = Some(Box::pin(async move { session.catch_up(&node).await }));
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

/// Returns the decisions of the rechecks that were requested and are not being decided.
fn begin_rechecks(
    session: &Session,
    node: &Node,
) -> impl Iterator<Item = impl Future<Output = ()>> {
    let begun = session.state().begin_rechecks();
    begun
        .into_iter()
        .map(move |recheck| session.decide_recheck(node, recheck))
}

impl Session {
    /// Counts entries that were written, and wakes those who wait for that.
    pub(crate) fn record_written(&self, entries: usize) {
        self.counters.delivered.add(entries);
        self.written.notify_waiters();
    }
}
