//! A line on which the client sends nothing of its own.

use std::time::Duration;

use metaia_realtime::client::{DisconnectReason, Update};
use tokio::time::{Instant, timeout};

use super::session::DoctorSession;
use super::visit::Visit;
use crate::doctor::HeldLine;

/// Holds the line for this time, or until it is lost. `ping_interval` is that of the server.
pub(super) async fn hold(
    visit: &Visit<'_>,
    session: &mut DoctorSession,
    wanted: Duration,
    ping_interval: Option<Duration>,
) -> HeldLine {
    let seconds = wanted.as_secs_f64();
    let printer = visit.context.printer;
    printer.note(&format!("holding a silent line for {seconds} s"));
    let began = Instant::now();
    let lost = timeout(wanted, lost(session)).await;
    let cut = lost.ok().map(|reason| {
        let heard = session.client.last_heard();
        let silence = heard.map_or_else(|| began.elapsed(), |heard| heard.elapsed());
        (silence, reason)
    });
    HeldLine {
        held: began.elapsed(),
        cut,
        ping_interval,
    }
}

/// Waits until the line is lost, and returns why, in the words of the client.
async fn lost(session: &mut DoctorSession) -> String {
    while let Some(update) = session.updates.recv().await {
        if let Update::Disconnected(reason) = update {
            return reason.to_string();
        }
    }
    DisconnectReason::ClientDisconnect.to_string()
}
