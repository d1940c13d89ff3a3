//! The watchdog: ends the process if it does not end by itself after SIGTERM or SIGINT.
//!
//! It is a thread of the system that hears the signals by itself. It needs neither the runtime,
//! whose workers may all be blocked, nor the log, whose reader may stand still. An orderly end is
//! always earlier; the exit code of the watchdog is 1, with one line on standard error.

use std::{
    io,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::printer::print_error;

/// The exit code.
const ENDED_BY_FORCE: i32 = 1;

/// The pause between two looks for a second signal.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// The time to write the line. Standard error may stand still.
const LINE_TIMEOUT: Duration = Duration::from_millis(100);

/// The time after which the process is ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndLimits {
    /// After the first signal.
    pub(super) after_first: Duration,
    /// After the second one, if that is earlier.
    pub(super) after_second: Duration,
}

/// Starts to listen. Call it after the runtime has begun to listen for the same signals: from now
/// on they do not end the process by themselves.
///
/// # Errors
/// Returns an error if the system has no thread for it.
pub(super) fn start(limits: EndLimits) -> io::Result<()> {
    let signals = Signals::new([SIGTERM, SIGINT])?;
    let named = thread::Builder::new().name("metaia-watchdog".to_owned());
    named.spawn(move || watch(signals, limits)).map(drop)
}

fn watch(mut signals: Signals, limits: EndLimits) {
    if signals.forever().next().is_none() {
        return;
    }
    let first = Instant::now();
    let mut end = first + limits.after_first;
    while Instant::now() < end {
        thread::sleep(LOOK_PAUSE);
        if signals.pending().next().is_some() {
            end = end.min(Instant::now() + limits.after_second);
        }
    }
    end_process(first.elapsed());
}

/// Ends the process with the line that says so.
fn end_process(since: Duration) {
    let line = format!(
        "metaia-server: not everything ended within {:.1} s after the signal: the process ends \
         without it. What was acknowledged is stored.",
        since.as_secs_f64()
    );
    let (written, done) = mpsc::sync_channel(1);
    let write = move || {
        print_error(&line);
        let _ = written.send(());
    };
    // In a thread of its own, because it may wait for ever.
    if thread::Builder::new().spawn(write).is_ok() {
        let _ = done.recv_timeout(LINE_TIMEOUT);
    }
    #[allow(
        clippy::disallowed_methods,
        clippy::exit,
        reason = "the thread that would return an exit code is one of those that do not end"
    )]
    std::process::exit(ENDED_BY_FORCE);
}
