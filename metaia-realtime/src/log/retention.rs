//! How much a log keeps.

use std::time::Duration;

/// How much a log keeps: what is beyond any of the bounds goes, oldest first, and never the last
/// entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Most entries.
    pub entries: usize,
    /// Most bytes of payload.
    pub bytes: u64,
    /// How long an entry is kept.
    pub age: Duration,
}

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Retention {
    /// For a log in memory: 100,000 entries, 64 MiB, 7 days.
    pub const MEMORY: Self = Self {
        entries: 100_000,
        bytes: 64 * 1024 * 1024,
        age: WEEK,
    };

    /// For a log on disk: 1,000,000 entries, 4 GiB, 7 days.
    pub const DISK: Self = Self {
        entries: 1_000_000,
        bytes: 4 * 1024 * 1024 * 1024,
        age: WEEK,
    };

    /// The same with at most so many entries.
    #[must_use]
    pub const fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// The same with at most so many bytes of payload.
    #[must_use]
    pub const fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// The same, keeping entries so long.
    #[must_use]
    pub const fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }
}
