//! The deliveries of what was offered to sessions.

use std::sync::Arc;

use super::Latencies;
use crate::session::{Session, Taken};

/// The number of sessions whose packets are taken before the first of them is written, and after
/// which other tasks run: less than 1 ms at some 7 µs each. What they need fits into the cache of a
/// core.
const PREPARED: usize = 64;

/// The sessions that have taken something, each once. They deliver after all offers, so that a
/// transport may write everything in one system call.
#[must_use]
pub(crate) struct Deliveries(Vec<Arc<Session>>);

impl Deliveries {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a session that has taken something, unless it is there already.
    pub(super) fn add(&mut self, session: &Arc<Session>) {
        if session.note_delivery() {
            self.0.push(Arc::clone(session));
        }
    }

    /// Delivers, and lets other tasks run in between: a delivery may be a system call.
    pub(super) async fn deliver(self, latencies: &Latencies) {
        for sessions in self.0.chunks(PREPARED) {
            // Other tasks have run since the last reading.
            latencies.read_clock();
            deliver_some(sessions);
            tokio::task::yield_now().await;
        }
    }

    /// Delivers without a pause.
    pub(crate) fn deliver_at_once(self) {
        self.0.chunks(PREPARED).for_each(deliver_some);
    }
}

fn deliver_some(sessions: &[Arc<Session>]) {
    let prepared: Vec<(&Session, Taken)> = sessions
        .iter()
        .filter_map(|session| Some((&**session, session.prepare_delivery()?)))
        .collect();
    for (session, taken) in prepared {
        session.write_delivery(taken);
    }
}
