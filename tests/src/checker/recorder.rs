//! The recorder: one clock and one list for all readers, writers and faults.

use std::time::Instant;

use super::{Fact, History, Moment};
use crate::server::journal::Journal;

/// Records facts. A clone is another handle to the same list. The list only grows, because a test
/// ends.
#[derive(Debug, Clone)]
pub struct Recorder {
    began: Instant,
    facts: Journal<(Moment, Fact)>,
}

impl Recorder {
    /// Creates an empty recorder whose clock starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            facts: Journal::default(),
        }
    }

    /// Records a fact with the current moment. An action is noted before it happens, an observation
    /// after it happened.
    pub fn note(&self, fact: Fact) {
        // The moment is taken under the lock of the list, so that the list is ordered by moment.
        self.facts.push_with(|| (self.began.elapsed(), fact));
    }

    /// Returns the current moment of the recorder's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Waits until `count` more facts have been recorded.
    pub async fn wait_for_more(&self, count: usize) {
        let from = self.facts.len();
        self.facts
            .wait_for_len(&format!("{count} more facts"), from + count)
            .await;
    }

    /// Waits until a fact matches. Panics with `what` after the deadline.
    pub async fn wait_until(&self, what: &str, fits: impl Fn(&Fact) -> bool) {
        let mut seen = 0;
        loop {
            let facts = self.facts.after(what, seen).await;
            if facts.iter().any(|(_, fact)| fits(fact)) {
                return;
            }
            seen += facts.len();
        }
    }

    /// Waits until each of these clients is ready, in a connection since the last kill.
    pub async fn wait_until_ready(&self, clients: &[String]) {
        for client in clients {
            let ready = |facts: &[(Moment, Fact)]| is_ready(facts, client).then_some(());
            self.facts
                .wait_for(&format!("{client} to be ready"), ready)
                .await;
        }
    }

    /// Returns everything recorded so far.
    #[must_use]
    pub fn history(&self) -> History {
        History {
            facts: self.facts.so_far(),
        }
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

fn is_ready(facts: &[(Moment, Fact)], name: &str) -> bool {
    let recent = facts
        .iter()
        .rev()
        .take_while(|(_, fact)| *fact != Fact::Killed);
    let mut states = recent.filter_map(|(_, fact)| match fact {
        Fact::Ready { client, .. } if client == name => Some(true),
        Fact::Connected { client, .. } | Fact::Disconnected { client } if client == name => {
            Some(false)
        }
        _ => None,
    });
    states.next() == Some(true)
}
