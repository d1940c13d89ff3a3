//! The task of a session, for transports that need one: it writes what is queued, handles one
//! inbound event at a time, and takes one step of catching up at a time.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, OptionFuture};
use tokio::sync::Notify;

use super::{
    EndReason, Inbound, InboundEvents, Outgoing, Session, backlog::Backlog, phase::Intake,
};
use crate::{auth::LEEWAY_MS, node::Node, values::time};

/// How often the end of a token is compared with the clock, since wall time may jump.
const EXPIRY_CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// How long a session waits for the `rt:resume` that its client has announced.
const RESUME_EVENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Drives the session to its end, and then writes `rt:end`, also if an embedder's handler or policy
/// panicked: the client then reconnects instead of waiting for a session without a task.
pub(crate) async fn drive<W>(
    session: Arc<Session>,
    node: Arc<Node>,
    events: InboundEvents,
    wake: &Notify,
    write: W,
) where
    W: FnMut(Outgoing) -> Result<(), EndReason>,
{
    let mut writer = LastPacketWriter {
        session: &session,
        node: &node,
        write,
    };
    serve(&session, &node, events, wake, &mut writer.write).await;
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
/// 5. A step of catching up is done.
/// 6. There is an inbound event that the session takes in its phase ([`Intake`]). It takes none
///    while another one is being handled.
/// 7. Something was queued, or written.
async fn serve(
    session: &Arc<Session>,
    node: &Arc<Node>,
    events: InboundEvents,
    wake: &Notify,
    write: &mut impl FnMut(Outgoing) -> Result<(), EndReason>,
) {
    let mut events = Backlog::new(events);
    let mut step: Option<BoxFuture<'static, ()>> = None;
    let mut handling: Option<BoxFuture<'static, ()>> = None;
    let mut token_expiry = Box::pin(wait_for_expiry(session));
    let mut resume_timeout = Box::pin(tokio::time::sleep(RESUME_EVENT_TIMEOUT));
    loop {
        if let Some(reason) = session.port.wants_end() {
            return session.end(reason);
        }
        if let Err(reason) = write_all(session, write) {
            return session.end(reason);
        }
        if step.is_none() && session.state().can_step() {
            step = Some(begin_step(session, node));
        }
        let intake = match &handling {
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
            Some(()) = OptionFuture::from(handling.as_mut()) => handling = None,
            Some(()) = OptionFuture::from(step.as_mut()) => step = None,
            Some(event) = events.next(intake), if intake != Intake::Nothing => {
                if intake == Intake::OnlyResume {
                    events.take_before_resume(session, event);
                } else {
                    handling = Some(begin_handling(session, node, event));
                }
            }
            () = wake.notified() => {}
        }
    }
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

/// Writes every packet that is queued.
fn write_all(
    session: &Session,
    write: &mut impl FnMut(Outgoing) -> Result<(), EndReason>,
) -> Result<(), EndReason> {
    let mut entries = 0;
    while let Some(outgoing) = session.take() {
        entries += usize::from(matches!(outgoing, Outgoing::Entry(_)));
        write(outgoing)?;
    }
    session.counters.delivered.add(entries);
    session.written.notify_waiters();
    Ok(())
}

/// Waits until the session's token has expired; for ever if it does not expire.
fn wait_for_expiry(session: &Session) -> impl Future<Output = ()> + use<> {
    let connected_at = session.connected_at;
    let expires_at = session.identity.expires_at;
    async move {
        let Some(expires_at) = expires_at else {
            return std::future::pending().await;
        };
        let end = session_end(expires_at, connected_at);
        loop {
            let left_ms = u64::try_from(end.saturating_sub(time::unix_ms())).unwrap_or(0);
            if left_ms == 0 {
                return;
            }
            let left = Duration::from_millis(left_ms);
            tokio::time::sleep(left.min(EXPIRY_CHECK_INTERVAL)).await;
        }
    }
}

/// Returns when a session ends whose token expires at `expires_at`, all in ms since the Unix epoch.
///
/// An authenticator accepts a token for a while after its end, since clocks differ. A session of
/// such a token lasts for that leeway: if it were closed at once, its client would reconnect in a
/// loop.
const fn session_end(expires_at: i64, connected_at: i64) -> i64 {
    if connected_at < expires_at {
        expires_at
    } else {
        expires_at.saturating_add(LEEWAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_taken_after_its_end_lasts_as_long_as_clocks_may_differ() {
        assert_eq!(session_end(10_000, 9_999), 10_000);
        assert_eq!(session_end(10_000, 10_000), 15_000);
        assert_eq!(session_end(i64::MAX, i64::MAX), i64::MAX);
    }
}
