//! A witness beside the database: a file of 40 bytes that says how far the log had come when
//! somebody last looked.
//!
//! Where the database does not reach as far when it is opened, or has another entry there, an older
//! copy was put in its place, and what clients remember is not what it says. The witness is written
//! after each commit and before anybody sees the entries. It does not wait for the disk: it only
//! has to outlive the process, and after a power cut it is at most behind.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::{meta::Meta, sum::Sum};
use crate::{EventId, log::Entry, values::Epoch};

const SIZE: usize = 40;

/// What was last said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) epoch: Epoch,
    pub(super) n: u64,
    pub(super) id: EventId,
}

impl Statement {
    pub(super) const fn of_log(meta: &Meta) -> Self {
        Self {
            epoch: meta.epoch,
            n: meta.head,
            id: meta.head_id,
        }
    }

    pub(super) fn of_entry(entry: &Entry) -> Self {
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
        bytes[32..].copy_from_slice(&self.sum().to_le_bytes());
        bytes
    }

    /// `None` where the bytes were not written by [`encode`](Self::encode).
    fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let (epoch, rest) = bytes.split_first_chunk()?;
        let (n, rest) = rest.split_first_chunk()?;
        let (id, sum) = rest.split_first_chunk()?;
        let statement = Self {
            epoch: Epoch::from_bits(u64::from_le_bytes(*epoch)),
            n: u64::from_le_bytes(*n),
            id: EventId::from_bytes(*id),
        };
        (statement.sum().to_le_bytes() == *sum).then_some(statement)
    }

    fn sum(self) -> i64 {
        let [epoch, n] = [self.epoch.to_bits(), self.n].map(u64::cast_signed);
        Sum::of("witness")
            .number(epoch)
            .number(n)
            .bytes(&self.id.to_bytes())
            .end()
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct Witness {
    file: File,
    path: PathBuf,
    /// Whether a failure was told, so that it is told once.
    failing: bool,
}

impl Witness {
    /// Opens or makes the file, and reads what it says; `None` where that is nothing, or damaged.
    pub(super) fn open(database: &Path) -> io::Result<(Self, Option<Statement>)> {
        let path = path_of(database);
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        let mut bytes = [0; SIZE];
        let whole = file.metadata()?.len() == SIZE as u64 && file.read_exact(&mut bytes).is_ok();
        let said = whole.then(|| Statement::decode(&bytes)).flatten();
        Ok((
            Self {
                file,
                path,
                failing: false,
            },
            said,
        ))
    }

    /// Writes what is so now. A failure is no reason to stop: an opening that finds the file behind
    /// or damaged is on the safe side.
    pub(super) fn say(&mut self, statement: Statement) {
        if let Err(error) = self.write(statement) {
            if !self.failing {
                tracing::warn!(path = %self.path.display(), %error, "the log's witness cannot be written");
            }
            self.failing = true;
        } else {
            self.failing = false;
        }
    }

    /// The same, and waits for the disk: that there is such a file must outlive a power cut.
    pub(super) fn establish(&mut self, statement: Statement) {
        self.say(statement);
        let folder = self.path.parent().map(File::open);
        let synced = self
            .file
            .sync_all()
            .and_then(|()| folder.map_or(Ok(()), |folder| folder?.sync_all()));
        if let Err(error) = synced {
            tracing::debug!(path = %self.path.display(), %error, "the log's witness is not on disk yet");
        }
    }

    fn write(&mut self, statement: Statement) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&statement.encode())
    }
}

fn path_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".mark");
    name.into()
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
            let said = Statement { epoch: Epoch::from_bits(epoch), n, id: EventId::from_bytes(id) };
            let mut bytes = said.encode();
            prop_assert_eq!(Statement::decode(&bytes), Some(said));
            bytes[at] ^= flipped;
            prop_assert_eq!(Statement::decode(&bytes), None);
        }
    }
}
