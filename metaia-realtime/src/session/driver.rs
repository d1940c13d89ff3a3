//! The task of a session, for transports that need one: it writes what is queued, handles one
//! inbound event at a time, takes one step of catching up at a time, and decides all rechecks of
//! the session side by side.

use std::{sync::Arc, time::Duration};

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, OptionFuture},
    stream::FuturesUnordered,
};
use tokio::sync::Notify;

use super::{
    EndReason, Inbound, InboundEvents, Outgoing, Session, finish::InboundWork, phase::Intake,
};
use crate::node::Node;

/// The time for which a session waits for the `rt:resume` that its client has announced.
const RESUME_EVENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Drives the session to its end, and then writes `rt:end`, also if an embedder's handler or policy
/// panicked: the client then reconnects instead of waiting for a session without a task. Handlers
/// that have begun [finish](super::finish) in a task of their own.
pub(crate) async fn drive<W>(
    session: Arc<Session>,
    node: Arc<Node>,
    events: InboundEvents,
    wake: &Notify,
    write: W,
) where
    W: FnMut(Outgoing) -> Result<(), EndReason>,
{
    // Until the session has ended, and what it finishes has begun: a drain waits for both.
    let _running = node.finishing().session_task();
    let mut work = InboundWork::new(events);
    let mut writer = LastPacketWriter {
        session: &session,
        node: &node,
        write,
    };
    serve(&session, &node, &mut work, wake, &mut writer.write).await;
    drop(writer);
    work.finish(&session, &node);
}

/// Ends the session when it is dropped, and writes its last packet. Nothing else writes to the
/// client: nothing follows the last packet.
struct LastPacketWriter<'a, W: FnMut(Outgoing) -> Result<(), EndReason>> {
    session: &'a Session,
    node: &'a Node,
    write: W,
}

impl<W: FnMut(Outgoing) -> Result<(), EndReason>> Drop for LastPacketWriter<'_, W> {
    fn drop(&mut self) {
        // The first reason counts: this one does if the task has panicked.
        self.node.end(self.session, EndReason::Failed);
        if let Some(last) = self.session.last_packet() {
            // A connection that does not take it closes without it.
            (self.write)(last).ok();
        }
    }
}

/// Serves the session to its end.
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
async fn serve(
    session: &Arc<Session>,
    node: &Arc<Node>,
    work: &mut InboundWork,
    wake: &Notify,
    write: &mut impl FnMut(Outgoing) -> Result<(), EndReason>,
) {
    let mut step: Option<BoxFuture<'static, ()>> = None;
    // At most one per order room, and one more if the session has left it and is in it again.
    let mut deciding = FuturesUnordered::new();
    let mut token_expiry = Box::pin(session.expired());
    let mut resume_timeout = Box::pin(tokio::time::sleep(RESUME_EVENT_TIMEOUT));
    loop {
        if let Err(reason) = write_all(session, write) {
            return session.end(reason);
        }
        deciding.extend(begin_rechecks(session, node));
        if step.is_none() && session.state().can_step() {
            step = Some(begin_step(session, node));
        }
        let intake = match &work.handling {
            Some(_) => Intake::Nothing,
            None => session.intake(),
        };
        tokio::select! {
            biased;
            () = session.ended() => return,
            () = &mut token_expiry => return session.end(EndReason::Expired),
            () = &mut resume_timeout, if intake == Intake::OnlyResume => {
                session.state().stop_awaiting_resume();
            }
            Some(()) = OptionFuture::from(work.handling.as_mut()) => work.handling = None,
            Some(()) = deciding.next() => {}
            Some(()) = OptionFuture::from(step.as_mut()) => step = None,
            Some(event) = work.events.next(intake), if intake != Intake::Nothing => {
                if intake == Intake::OnlyResume {
                    work.events.take_before_resume(session, event);
                } else {
                    work.handling = Some(begin_handling(session, node, event));
                }
            }
            () = wake.notified() => {}
        }
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

/// Returns one step of the start or of catching up.
fn begin_step(session: &Arc<Session>, node: &Arc<Node>) -> BoxFuture<'static, ()> {
    let session = Arc::clone(session);
    let node = Arc::clone(node);
    Box::pin(async move { session.catch_up(&node).await })
}

fn begin_handling(
    session: &Arc<Session>,
    node: &Arc<Node>,
    event: Inbound,
) -> BoxFuture<'static, ()> {
    let session = Arc::clone(session);
    Box::pin(session.handle(Arc::clone(node), event))
}

/// Writes every packet that is queued, unless the transport wants the session to end.
fn write_all(
    session: &Session,
    write: &mut impl FnMut(Outgoing) -> Result<(), EndReason>,
) -> Result<(), EndReason> {
    if let Some(reason) = session.port.wants_end() {
        return Err(reason);
    }
    let mut entries = 0;
    while let Some(outgoing) = session.take() {
        entries += usize::from(matches!(outgoing, Outgoing::Entry(_)));
        write(outgoing)?;
    }
    session.counters.delivered.add(entries);
    session.written.notify_waiters();
    Ok(())
}
