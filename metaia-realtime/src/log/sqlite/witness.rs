//! The witness: a file of 40 bytes beside the database, `….mark`, with the last entry of the log at
//! the last commit. It has nothing to do with the trim marks, which are in [`marks`](super::marks).
//!
//! If the database ends before that entry at the next opening, or has another entry with that
//! number, an older copy was put in its place, and the positions of clients do not match it. The
//! witness is written after each commit and before readers see the entries. The write does not wait
//! for the disk: the file only has to survive the process, and after a power cut it names an older
//! entry at worst.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::{checksum::Checksum, meta::Meta};
use crate::{
    failure_log::FailureLog,
    log::Entry,
    sqlite::beside,
    values::{Epoch, EventId},
};

const SIZE: usize = 40;

/// The last entry that readers may have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) epoch: Epoch,
    pub(super) n: u64,
    pub(super) id: EventId,
}

impl Statement {
    pub(super) const fn from_meta(meta: &Meta) -> Self {
        Self {
            epoch: meta.epoch,
            n: meta.head,
            id: meta.head_id,
        }
    }

    pub(super) fn from_entry(entry: &Entry) -> Self {
        Self {
            epoch: entry.position().epoch(),
            n: entry.n(),
            id: entry.content().id(),
        }
    }

    fn encode(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.epoch.to_bits().to_le_bytes());
        bytes[8..16].copy_from_slice(&self.n.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.id.to_bytes());
        bytes[32..].copy_from_slice(&self.checksum().to_le_bytes());
        bytes
    }

    /// Returns `None` if the bytes were not written by [`encode`](Self::encode).
    fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let (epoch, rest) = bytes.split_first_chunk()?;
        let (n, rest) = rest.split_first_chunk()?;
        let (id, sum) = rest.split_first_chunk()?;
        let statement = Self {
            epoch: Epoch::from_bits(u64::from_le_bytes(*epoch)),
            n: u64::from_le_bytes(*n),
            id: EventId::from_bytes(*id),
        };
        if statement.checksum().to_le_bytes() != *sum {
            return None;
        }
        Some(statement)
    }

    fn checksum(self) -> i64 {
        Checksum::new("witness")
            .number(self.epoch.to_bits().cast_signed())
            .number(self.n.cast_signed())
            .bytes(&self.id.to_bytes())
            .finish()
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
    path: PathBuf,
    failures: FailureLog,
}

impl Witness {
    /// Opens or creates the file and reads its statement: `None` if it is empty or damaged.
    pub(super) fn open(database: &Path) -> io::Result<(Self, Option<Statement>)> {
        let path = beside(database, ".mark");
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        let statement = read_statement(&mut file)?;
        let witness = Self {
            file,
            path,
            failures: FailureLog::default(),
        };
        Ok((witness, statement))
    }

    /// Writes the statement. A failure does not stop the log: if the next opening finds an older
    /// statement, it can only miss that the database is an older copy. A damaged file begins a new
    /// epoch.
    pub(super) fn record(&mut self, statement: Statement) {
        match self.write(statement) {
            Ok(()) => self.failures.worked(|| {}),
            Err(error) => self.failures.failed(|| {
                tracing::warn!(
                    path = %self.path.display(),
                    %error,
                    "the log's witness cannot be written"
                );
            }),
        }
    }

    /// Writes the statement and waits for the disk: the file's existence must survive a power cut.
    pub(super) fn record_durably(&mut self, statement: Statement) {
        self.record(statement);
        if let Err(error) = self.sync() {
            tracing::debug!(
                path = %self.path.display(),
                %error,
                "the log's witness is not on disk yet"
            );
        }
    }

    fn write(&mut self, statement: Statement) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&statement.encode())
    }

    /// Waits for the disk: for the content, and for the file's name in its folder.
    fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        match self.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

fn read_statement(file: &mut File) -> io::Result<Option<Statement>> {
    if file.metadata()?.len() != SIZE as u64 {
        return Ok(None);
    }
    let mut bytes = [0; SIZE];
    if file.read_exact(&mut bytes).is_err() {
        return Ok(None);
    }
    Ok(Statement::decode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_statement_reads_back_and_a_damaged_one_does_not(
            epoch: u64, n: u64, id: [u8; 16], at in 0..SIZE, flipped in 1u8..,
        ) {
            let epoch = Epoch::from_bits(epoch);
            let statement = Statement { epoch, n, id: EventId::from_bytes(id) };
            let mut bytes = statement.encode();
            prop_assert_eq!(Statement::decode(&bytes), Some(statement));
            bytes[at] ^= flipped;
            prop_assert_eq!(Statement::decode(&bytes), None);
        }
    }
}
