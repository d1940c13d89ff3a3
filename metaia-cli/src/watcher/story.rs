//! Everything that one person received, in order.
//!
//! A story keeps up to [`MAX_ENTRIES`] entries. If more come, it takes no further ones and says so:
//! what is judged by it cannot be judged any more.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::expectation::Received;

/// The largest number of entries of one story: some 100 MB of usual events.
const MAX_ENTRIES: usize = 100_000;

/// The entries of one person, shared by the task that receives and those that judge.
#[derive(Debug)]
pub(crate) struct Story {
    began: Instant,
    entries: Mutex<Entries>,
    length: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Entries {
    list: Vec<Entry>,
    gaps: u64,
    is_full: bool,
}

/// Something that happened to a person's connection.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Event(Received),
    /// A change of the connection, in a few words.
    Line(LineEntry),
}

/// A change of the connection.
#[derive(Debug, Clone)]
pub(crate) struct LineEntry {
    /// Since the run began.
    pub(crate) at: Duration,
    pub(crate) text: String,
}

impl Story {
    /// Creates an empty story of a run that began at this time.
    pub(crate) fn new(began: Instant) -> Self {
        Self {
            began,
            entries: Mutex::default(),
            length: watch::Sender::new(0),
        }
    }

    /// Returns the time since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn push(&self, entry: Entry) {
        let mut entries = self.lock();
        if entries.list.len() >= MAX_ENTRIES {
            entries.is_full = true;
            return;
        }
        entries.list.push(entry);
        let length = entries.list.len();
        drop(entries);
        self.length.send_replace(length);
    }

    pub(super) fn count_gap(&self) {
        self.lock().gaps += 1;
    }

    /// Returns the number of times that events were missed for good.
    pub(crate) fn gaps(&self) -> u64 {
        self.lock().gaps
    }

    /// Returns whether entries came that were not kept.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().is_full
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().list.len()
    }

    /// Returns the entries from this number on.
    pub(crate) fn entries_from(&self, start: usize) -> Vec<Entry> {
        let entries = self.lock();
        entries.list.get(start..).unwrap_or_default().to_vec()
    }

    /// Returns the events among the entries from `start` to before `end`.
    pub(crate) fn events_between(&self, start: usize, end: usize) -> Vec<Received> {
        let entries = self.lock();
        let range = entries.list.get(start..end).unwrap_or_default();
        let events = range.iter().filter_map(|entry| match entry {
            Entry::Event(event) => Some(event.clone()),
            Entry::Line(_) => None,
        });
        events.collect()
    }

    /// Returns the ids of the events before an entry.
    pub(crate) fn ids_before(&self, end: usize) -> HashSet<String> {
        let entries = self.lock();
        let range = entries.list.get(..end).unwrap_or_default();
        let ids = range.iter().filter_map(|entry| match entry {
            Entry::Event(event) => event.id.clone(),
            Entry::Line(_) => None,
        });
        ids.collect()
    }

    /// Waits until `is_enough`, which is asked again after each new entry, or until a time since
    /// the run began. Returns whether it waited.
    pub(crate) async fn wait_until(
        &self,
        deadline: Duration,
        is_enough: impl Fn() -> bool,
    ) -> bool {
        let mut changes = self.length.subscribe();
        let mut has_waited = false;
        loop {
            changes.mark_unchanged();
            let left = deadline.saturating_sub(self.now());
            if is_enough() || left.is_zero() {
                return has_waited;
            }
            has_waited = true;
            // The sender lives as long as the story.
            let _ = timeout(left, changes.changed()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
