//! The pace of the log: lines that strangers or a broken disk cause again and again.
//!
//! Every line of the log passes here. A kind is a place in the program together with the `code` of
//! the line. Of each kind some lines are written ([`windows`]), and then one that names how many
//! more there were. What is counted is not changed by that: metrics count each.
//!
//! These have no bound:
//!
//! - what the start finds, before [`LinePace::begin`];
//! - `info` lines of this project without a `code`: what users and operators did. They are no
//!   refusals, and each is a fact of its own;
//! - `debug` and `trace`, which an operator asked for.
//!
//! At most 1,000 kinds are known ([`kinds`]); further ones share one window.

mod fields;
mod kinds;
mod windows;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use parking_lot::Mutex;
use tracing::{Event, Level, Metadata, Subscriber, subscriber::Interest};
use tracing_subscriber::layer::{Context, Filter};

use self::{
    fields::code,
    kinds::{Kinds, LeftOut},
};

/// The target of the lines that name how many were left out. They have no bound of their own.
const SUMMARY: &str = "metaia_server::line_pace";

/// The beginning of the names of this project's crates.
const OURS: &str = "metaia_";

/// The pace of all lines of the log. A handle: all clones are one pace.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinePace(Arc<PaceState>);

#[derive(Debug, Default)]
struct PaceState {
    has_begun: AtomicBool,
    left_out: AtomicU64,
    kinds: Mutex<Kinds>,
}

impl LinePace {
    /// Begins to leave lines out.
    pub(crate) fn begin(&self) {
        self.0.has_begun.store(true, Relaxed);
    }

    /// Returns the number of lines that were left out so far.
    pub(crate) fn left_out(&self) -> u64 {
        self.0.left_out.load(Relaxed)
    }

    /// Logs how many lines were left out in windows that are over.
    pub(crate) fn tell_unsaid(&self) {
        let unsaid = self.0.kinds.lock().take_unsaid(Instant::now());
        // Not under the lock: a line of the log comes back to it.
        unsaid.iter().for_each(tell);
    }

    /// Logs how many lines were left out, at the end of the process.
    pub(crate) fn tell_all(&self) {
        let unsaid = self.0.kinds.lock().take_all();
        unsaid.iter().for_each(tell);
    }

    fn admits(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        let code = code(event);
        if !self.0.has_begun.load(Relaxed) || !has_bound(metadata, code.is_some()) {
            return true;
        }
        let code = code.unwrap_or_default();
        let admitted = self.0.kinds.lock().admits(event, &code, Instant::now());
        if !admitted {
            self.0.left_out.fetch_add(1, Relaxed);
        }
        admitted
    }
}

impl<S: Subscriber> Filter<S> for LinePace {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    /// Returns that it depends. After `always`, the subscriber does not ask for `enabled` first,
    /// and a debug build of it panics when `event_enabled` returns false.
    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.admits(event)
    }
}

fn has_bound(metadata: &Metadata<'_>, has_code: bool) -> bool {
    match *metadata.level() {
        _ if metadata.target() == SUMMARY => false,
        Level::ERROR | Level::WARN => true,
        Level::INFO => has_code || !metadata.target().starts_with(OURS),
        _ => false,
    }
}

/// Logs how many lines of a kind were left out, at their level.
fn tell(kind: &LeftOut) {
    let LeftOut {
        level,
        code,
        message,
        count,
    } = kind;
    let code = code.as_deref();
    match *level {
        Level::ERROR => tracing::error!(target: SUMMARY, code, count, "left out: {message}"),
        Level::WARN => tracing::warn!(target: SUMMARY, code, count, "left out: {message}"),
        _ => tracing::info!(target: SUMMARY, code, count, "left out: {message}"),
    }
}

#[cfg(test)]
mod tests;
