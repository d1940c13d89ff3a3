//! The task of a session, for transports that need one: writes what is queued, runs one inbound
//! event at a time, and one step of catching up.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, OptionFuture};
use tokio::sync::{Notify, mpsc};

use super::{EndReason, Inbound, Outgoing, Session, Start, backlog::Backlog};
use crate::{auth::LEEWAY_MS, node::Node, values::time};

/// How often the end of a token is looked at, since wall time may jump.
const EXPIRY_CHECK: Duration = Duration::from_secs(60);

/// How long a client that asked to be held has for its `rt:resume`.
const HOLD: Duration = Duration::from_secs(5);

/// Drives the session to its end.
///
/// The arms, in order: the session has ended · its token has · it was held for long enough · an
/// inbound event is done · a step of catching up is done · there is a next inbound event, none is
/// being handled, it is known where the session goes on, and the client reads its answers, or the
/// session is held and it may say where to go on · something was queued, or written. Writing
/// happens before each wait.
pub(crate) async fn drive(
    session: Arc<Session>,
    node: Arc<Node>,
    start: Start,
    events: mpsc::Receiver<Inbound>,
    wake: &Notify,
    mut write: impl FnMut(Outgoing) -> Result<(), EndReason>,
) {
    let mut start = Some(start);
    let mut begun = false;
    let mut events = Backlog::new(events);
    let mut step: Option<BoxFuture<'static, Start>> = None;
    let mut handling: Option<BoxFuture<'static, ()>> = None;
    let mut expiry = Box::pin(expires(&session));
    let mut hold = Box::pin(tokio::time::sleep(HOLD));
    loop {
        if let Err(end) = write_all(&session, &mut write) {
            return session.end(end);
        }
        if let Some(begun) = start.take_if(|start| !start.is_held() && session.state().wants_step())
        {
            step = Some(Box::pin(one_step(
                Arc::clone(&session),
                Arc::clone(&node),
                begun,
            )));
        }
        begun = begun || start.as_ref().is_some_and(Start::has_begun);
        let may_handle = begun && handling.is_none() && session.has_credit(0);
        let is_held = start.as_ref().is_some_and(Start::is_held);
        tokio::select! {
            biased;
            () = session.ended() => return,
            () = &mut expiry => return session.end(EndReason::Expired),
            () = &mut hold, if is_held => start.iter_mut().for_each(Start::release),
            Some(()) = OptionFuture::from(handling.as_mut()) => handling = None,
            Some(done) = OptionFuture::from(step.as_mut()) => {
                start = Some(done);
                step = None;
            }
            Some(event) = events.next(is_held), if is_held || may_handle => match &mut start {
                Some(start) if is_held => events.resume(&session, start, event),
                _ => handling = Some(Box::pin(Arc::clone(&session).handle(Arc::clone(&node), event))),
            },
            () = wake.notified() => {}
        }
    }
}

async fn one_step(session: Arc<Session>, node: Arc<Node>, mut start: Start) -> Start {
    session.catch_up(&node, &mut start).await;
    start
}

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
    session.progress.notify_waiters();
    Ok(())
}

/// Waits for the end of the session's token.
fn expires(session: &Session) -> impl Future<Output = ()> + use<> {
    let end = session
        .identity
        .expires_at
        .map(|at| end_of(at, session.connected_at));
    async move {
        let Some(end) = end else {
            return std::future::pending().await;
        };
        while let Ok(left @ 1..) = u64::try_from(end.saturating_sub(time::unix_ms())) {
            tokio::time::sleep(Duration::from_millis(left).min(EXPIRY_CHECK)).await;
        }
    }
}

/// When a session of a token that ends at `expires_at` ends: then; or, where an authenticator took
/// it after its end since clocks differ, when they cannot differ any more. Else such a client would
/// be closed at once, and come back, in a loop.
const fn end_of(expires_at: i64, connected_at: i64) -> i64 {
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
        assert_eq!(end_of(10_000, 9_999), 10_000);
        assert_eq!(end_of(10_000, 10_000), 15_000);
        assert_eq!(end_of(i64::MAX, i64::MAX), i64::MAX);
    }
}
