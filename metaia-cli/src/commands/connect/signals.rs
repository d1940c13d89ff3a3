//! Signals to a process whose terminal has the editor's settings.

use std::sync::Arc;

use nix::sys::signal::{Signal, raise};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::TaskTracker;

use crate::screen::Screen;

/// Lets SIGTERM, SIGHUP and SIGQUIT end the command as Ctrl-C does, and SIGCONT give the editor its
/// settings again. By themselves the first three would end the process, and leave the terminal as
/// it is.
pub(super) fn watch(screen: &Arc<Screen>) {
    for kind in [
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ] {
        let Ok(mut ended) = signal(kind) else {
            continue;
        };
        TaskTracker::new().spawn(async move {
            ended.recv().await;
            interrupt();
        });
    }
    let Ok(mut continued) = signal(SignalKind::from_raw(Signal::SIGCONT as i32)) else {
        return;
    };
    let screen = screen.clone();
    TaskTracker::new().spawn(async move {
        while continued.recv().await.is_some() {
            tokio::task::block_in_place(|| screen.resume());
        }
    });
}

/// Ends the command, whatever it waits for.
pub(super) fn interrupt() {
    // A process may always send itself a signal.
    let _ = raise(Signal::SIGINT);
}
