//! A line on which the client sends nothing of its own.

use std::time::Duration;

use metaia_realtime::client::{DisconnectReason, Update};
use tokio::time::{Instant, sleep, timeout};

use super::session::DoctorSession;
use super::visit::Visit;
use crate::diagnosis::Fault;
use crate::doctor::{HeldLine, LineEnd, LineLoss, LostLine};
use crate::exit::Exit;

/// The attempts of another connection that is cut, besides the first, and the time between them.
const MORE_ATTEMPTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// The words of an ended session: the code of `rt:end`, if one came, and those of the client.
struct SessionLoss {
    code: Option<String>,
    reason: String,
}

/// Holds the line for this time, or until it is lost, and asks for a fence at its end.
/// `ping_interval` is that of the server.
pub(super) async fn hold(
    visit: &mut Visit<'_>,
    session: &mut DoctorSession,
    wanted: Duration,
    ping_interval: Option<Duration>,
) -> HeldLine {
    let seconds = wanted.as_secs_f64();
    let printer = visit.context.printer;
    printer.note(&format!("holding a silent line for {seconds} s"));
    visit.prolong_for_line(wanted);
    let began = Instant::now();
    let loss = timeout(wanted, loss(session)).await.ok();
    let held = began.elapsed();
    let end = match loss {
        Some(loss) => lost(visit, session, loss, held).await,
        None => asked(visit, session, held).await,
    };
    HeldLine {
        held,
        end,
        ping_interval,
    }
}

/// Asks for a fence on a line that seems to live: one that is dead does not say so.
async fn asked(visit: &Visit<'_>, session: &mut DoctorSession, held: Duration) -> LineEnd {
    let silence = silence(session, held);
    let fault = match session.fence(visit).await {
        Ok(_) => return LineEnd::Answered,
        Err(fault) if fault.exit == Exit::Failed => return LineEnd::WithoutFence(fault),
        Err(fault) => fault,
    };
    // The session may have ended since it was asked.
    if fault.exit == Exit::Unreachable
        && let Ok(loss) = timeout(visit.limit(), loss(session)).await
    {
        return lost(visit, session, loss, held).await;
    }
    LineEnd::Lost(LostLine {
        silence,
        loss: LineLoss::Deaf,
        again: connect_again(visit, session).await,
    })
}

/// Returns the end of a line that was lost. Another connection tells whether the server is there.
async fn lost(
    visit: &Visit<'_>,
    session: &DoctorSession,
    loss: SessionLoss,
    held: Duration,
) -> LineEnd {
    if let Some(code) = loss.code {
        return LineEnd::Ended(code);
    }
    LineEnd::Lost(LostLine {
        silence: silence(session, held),
        loss: LineLoss::Cut(loss.reason),
        again: connect_again(visit, session).await,
    })
}

/// Connects once more. A server that has just ended may still accept a connection for a moment, and
/// cut it.
async fn connect_again(visit: &Visit<'_>, session: &DoctorSession) -> Result<(), Fault> {
    for _ in 0..MORE_ATTEMPTS {
        match session.connect_again(visit).await {
            Err(Fault::Cut) => sleep(PAUSE).await,
            other => return other,
        }
    }
    session.connect_again(visit).await
}

/// Returns the time since the server was heard.
fn silence(session: &DoctorSession, held: Duration) -> Duration {
    let heard = session.client.last_heard();
    heard.map_or(held, |heard| heard.elapsed())
}

/// Waits until the session ends, and returns why.
async fn loss(session: &mut DoctorSession) -> SessionLoss {
    let mut code = None;
    while let Some(update) = session.updates.recv().await {
        match update {
            Update::End(end) => code = Some(end.code),
            Update::Disconnected(reason) => {
                let reason = reason.to_string();
                return SessionLoss { code, reason };
            }
            _ => {}
        }
    }
    let reason = DisconnectReason::ClientDisconnect.to_string();
    SessionLoss { code, reason }
}
