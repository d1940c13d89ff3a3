//! The retention of a log: how many entries it keeps, and for how long.

use std::time::Duration;

/// The bounds of a log. Entries beyond any of them are removed, oldest first, but never the last
/// entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Entries, at most.
    pub entries: usize,
    /// Bytes of payload, at most.
    pub bytes: u64,
    /// Age of an entry, at most.
    pub age: Duration,
}

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Retention {
    /// The default for a log in memory: 100,000 entries, 64 MiB, 7 days.
    pub const MEMORY: Self = Self {
        entries: 100_000,
        bytes: 64 * 1024 * 1024,
        age: WEEK,
    };

    /// The default for a log on disk: 1,000,000 entries, 4 GiB, 7 days.
    pub const DISK: Self = Self {
        entries: 1_000_000,
        bytes: 4 * 1024 * 1024 * 1024,
        age: WEEK,
    };

    /// Sets the number of entries that are kept at most.
    #[must_use]
    pub const fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Sets the bytes of payload that are kept at most.
    #[must_use]
    pub const fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the time for which entries are kept.
    #[must_use]
    pub const fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }
}
