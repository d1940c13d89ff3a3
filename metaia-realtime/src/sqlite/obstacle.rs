//! The reason why a database cannot be written, and when the log says so. A pure kernel.

use std::{
    fmt,
    sync::atomic::{AtomicU8, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rusqlite::{ErrorCode, ffi};

/// The pause between two lines of the log about one obstacle.
const LINE_PAUSE: Duration = Duration::from_secs(60);

/// The reason why a database cannot be written at present. Reads go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteObstacle {
    /// The disk is full, or a quota is used up.
    DiskFull,
    /// The file, or its write-ahead log, was deleted or replaced after it was opened. Writes are
    /// refused: they would go to a file without a name, and be lost at its end.
    FileGone,
    /// Another failure, which the log names: of the disk, or of a tool that has the file locked.
    Failing,
}

impl WriteObstacle {
    /// All obstacles.
    pub const ALL: [Self; 3] = [Self::DiskFull, Self::FileGone, Self::Failing];

    /// Returns the stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DiskFull => "disk_full",
            Self::FileGone => "file_gone",
            Self::Failing => "failing",
        }
    }

    /// Returns the obstacle that an error of a transaction shows, if it shows one.
    pub(super) fn of(error: &rusqlite::Error) -> Option<Self> {
        let extended = error.sqlite_error()?.extended_code;
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Self::DiskFull),
            _ if extended == ffi::SQLITE_READONLY_DBMOVED => Some(Self::FileGone),
            // The fault of a write, not of the disk.
            ErrorCode::ConstraintViolation => None,
            _ => Some(Self::Failing),
        }
    }
}

impl fmt::Display for WriteObstacle {
    /// Describes it, as the end of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DiskFull => "the disk is full",
            Self::FileGone => "its file was deleted or replaced while it was open",
            Self::Failing => "the system refuses writes",
        })
    }
}

/// The current obstacle, as the handles see it.
#[derive(Debug, Default)]
pub(super) struct CurrentObstacle(AtomicU8);

impl CurrentObstacle {
    pub(super) fn get(&self) -> Option<WriteObstacle> {
        let place = usize::from(self.0.load(Relaxed)).checked_sub(1)?;
        WriteObstacle::ALL.get(place).copied()
    }

    pub(super) fn set(&self, obstacle: Option<WriteObstacle>) {
        let place = WriteObstacle::ALL
            .iter()
            .position(|it| Some(*it) == obstacle);
        let number = place.map_or(0, |place| place + 1);
        self.0
            .store(u8::try_from(number).unwrap_or_default(), Relaxed);
    }
}

/// The failed writes since the last line of the log about them.
#[derive(Debug, Default)]
pub(super) struct FailedWrites {
    obstacle: Option<WriteObstacle>,
    last_line: Option<Instant>,
    unsaid: usize,
}

impl FailedWrites {
    /// Records failed writes. Returns how many a line has to name if one is due: for a new
    /// obstacle, and once a minute while it stays.
    pub(super) fn failed(
        &mut self,
        obstacle: WriteObstacle,
        writes: usize,
        now: Instant,
    ) -> Option<usize> {
        self.unsaid += writes;
        let is_known = self.obstacle.replace(obstacle) == Some(obstacle);
        let is_said = self.last_line.is_some_and(|line| now < line + LINE_PAUSE);
        if is_known && is_said {
            return None;
        }
        self.last_line = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }

    /// Records a success. Returns whether there was an obstacle.
    pub(super) fn worked(&mut self) -> bool {
        std::mem::take(self).obstacle.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WriteObstacle::{DiskFull, FileGone};

    #[test]
    fn a_full_disk_is_said_once_a_minute_with_the_writes_that_failed() {
        let start = Instant::now();
        let mut failed = FailedWrites::default();
        let said = (0..180_u64).filter_map(|second| {
            let now = start + Duration::from_secs(second);
            let writes = failed.failed(DiskFull, 2, now)?;
            Some((second, writes))
        });
        assert_eq!(said.collect::<Vec<_>>(), [(0, 2), (60, 120), (120, 120)]);
    }

    #[test]
    fn another_obstacle_and_the_next_one_after_a_success_are_said_at_once() {
        let now = Instant::now();
        let mut failed = FailedWrites::default();
        assert_eq!(failed.failed(DiskFull, 1, now), Some(1));
        assert_eq!(failed.failed(FileGone, 1, now), Some(1));
        assert_eq!(failed.failed(FileGone, 1, now), None);
        assert!(failed.worked());
        assert!(!failed.worked());
        assert_eq!(failed.failed(FileGone, 1, now), Some(1));
    }

    #[test]
    fn every_obstacle_is_shared_as_it_is() {
        let current = CurrentObstacle::default();
        assert_eq!(current.get(), None);
        for obstacle in WriteObstacle::ALL {
            current.set(Some(obstacle));
            assert_eq!(current.get(), Some(obstacle));
        }
        current.set(None);
        assert_eq!(current.get(), None);
    }
}
