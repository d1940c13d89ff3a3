//! The pace of lines in the log that strangers cause: one a second of each kind.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// The pause between two lines of a kind.
const PAUSE: Duration = Duration::from_secs(1);

/// The last line of each kind, and how many it has not told of since.
#[derive(Debug)]
pub(super) struct LogPace<K>(HashMap<K, LastLine>);

#[derive(Debug)]
struct LastLine {
    at: Instant,
    since: u64,
}

impl<K> Default for LogPace<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> LogPace<K> {
    /// Counts one of a kind. Returns the number that a line is to name if one is due.
    pub(super) fn due_count(&mut self, kind: K, now: Instant) -> Option<u64> {
        let Some(last) = self.0.get_mut(&kind) else {
            self.0.insert(kind, LastLine { at: now, since: 0 });
            return Some(1);
        };
        last.since += 1;
        if now < last.at + PAUSE {
            return None;
        }
        last.at = now;
        Some(std::mem::take(&mut last.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_a_second_of_each_kind_is_due() {
        let mut pace = LogPace::default();
        let mut due = |kind| pace.due_count(kind, Instant::now());
        assert_eq!([due("a"), due("a"), due("a")], [Some(1), None, None]);
        assert_eq!(due("b"), Some(1));
        tokio::time::advance(PAUSE).await;
        assert_eq!([due("a"), due("a")], [Some(3), None]);
    }
}
