//! Opening: checks whether the log is whole, and whether it is the one that clients remember.

use std::{fmt, io, path::Path, sync::Arc};

use rusqlite::Connection;

use super::{
    damage::give_up,
    fault::SqliteFault,
    marks,
    meta::Meta,
    read, schema, version,
    witness::{Statement, Witness},
};
use crate::{
    log::{
        Entry, Head,
        tail::{ENTRIES, Tail},
        trimmed::Trimmed,
    },
    sqlite::{OpenError, WriteError},
    values::Epoch,
};

/// A log that was opened and not used yet.
pub(super) struct OpenedLog {
    pub(super) tail: Tail,
    pub(super) witness: Witness,
    /// The statement to write into the witness once the transaction is committed.
    pub(super) statement: Statement,
}

/// The reason why a new epoch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NewEpochReason {
    /// The database was made by [`super::SqliteLog::backup`].
    Backup,
    /// The last entries are damaged.
    Damaged,
    /// There is no statement of how far the log had come.
    NoWitness,
    /// The witness has seen another log.
    OtherLog,
    /// The witness has seen more entries, or another entry at its number.
    OlderCopy,
}

impl fmt::Display for NewEpochReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backup => "the database is a backup",
            Self::Damaged => "the last entries are damaged",
            Self::NoWitness => "the file that says how far the log had come is missing or damaged",
            Self::OtherLog => "the database was put in the place of another",
            Self::OlderCopy => "the database is older than what clients have seen",
        })
    }
}

/// The reason why the log was not opened. The transaction is rolled back.
pub(super) enum OpenFailure {
    Open(OpenError),
    Read(SqliteFault),
    Io(io::Error),
}

/// Opens the log in one transaction. It reads the last entries and the marks, never all entries.
pub(super) fn open_log(db: &Connection, path: &Path) -> Result<OpenedLog, OpenFailure> {
    schema::create_if_missing(db)?;
    version::check(db, path).map_err(OpenFailure::Open)?;
    let (witness, stated) = Witness::open(path).map_err(OpenFailure::Io)?;
    let before = Meta::read(db)?;
    let mut meta = before.clone();
    let marks = load_marks(db, path, &mut meta)?;
    let was_damaged = give_up_damaged_entries(db, path, &mut meta)?;
    if let Some(reason) = new_epoch_reason(db, &meta, stated, was_damaged)? {
        tracing::info!(
            path = %path.display(),
            "the log begins a new epoch: {reason}; clients will reload"
        );
        meta.epoch = Epoch::random();
        meta.copied = false;
    }
    if meta != before {
        meta.write(db)?;
    }
    let mut tail = Tail::new(head(&meta), marks)
        .lost(meta.lost)
        .stored(meta.bytes);
    tail.fill(&last_entries(db, &meta)?);
    Ok(OpenedLog {
        tail,
        witness,
        statement: Statement::from_meta(&meta),
    })
}

fn head(meta: &Meta) -> Head {
    Head {
        position: meta.position(),
        floor: meta.floor,
    }
}

/// Loads the marks. Damaged ones are replaced by one for all rooms, at the floor.
fn load_marks(db: &Connection, path: &Path, meta: &mut Meta) -> Result<Trimmed, OpenFailure> {
    if let Some(marks) = marks::load(db, meta)? {
        return Ok(Trimmed::from_marks(marks, meta.others));
    }
    tracing::error!(
        path = %path.display(),
        "the record of trimmed entries is damaged: more clients than necessary will reload"
    );
    marks::clear(db, meta)?;
    meta.lost = meta.floor;
    Ok(Trimmed::default())
}

/// Reads the last entries, which the first clients that reconnect ask for.
fn last_entries(db: &Connection, meta: &Meta) -> Result<Vec<Arc<Entry>>, SqliteFault> {
    let from = meta.floor.max(meta.head.saturating_sub(ENTRIES as u64));
    let entries = read::entries_after(db, meta, from, ENTRIES)?;
    if let Some(last) = entries.last()
        && last.content().id() != meta.head_id
    {
        return Err(SqliteFault::all_entries("the last entry is another one"));
    }
    Ok(entries)
}

/// Gives up damaged entries among the last ones. Returns whether there were any.
fn give_up_damaged_entries(
    db: &Connection,
    path: &Path,
    meta: &mut Meta,
) -> Result<bool, SqliteFault> {
    match last_entries(db, meta) {
        Ok(_) => Ok(false),
        Err(SqliteFault::Entries { upto, what }) => {
            give_up(meta, upto);
            tracing::error!(
                path = %path.display(), upto = meta.lost, what,
                "the log is damaged: entries up to this number are given up"
            );
            Ok(true)
        }
        Err(fault) => Err(fault),
    }
}

/// Returns the reason for a new epoch if the positions of clients may not match this log.
fn new_epoch_reason(
    db: &Connection,
    meta: &Meta,
    stated: Option<Statement>,
    was_damaged: bool,
) -> Result<Option<NewEpochReason>, SqliteFault> {
    if meta.copied {
        return Ok(Some(NewEpochReason::Backup));
    }
    if was_damaged {
        return Ok(Some(NewEpochReason::Damaged));
    }
    let Some(stated) = stated else {
        // No client has a position of an empty log.
        let is_empty = meta.head == 0;
        return Ok(if is_empty {
            None
        } else {
            Some(NewEpochReason::NoWitness)
        });
    };
    if stated.epoch != meta.epoch {
        return Ok(Some(NewEpochReason::OtherLog));
    }
    if stated.n == 0 || has_entry(db, meta, stated)? {
        return Ok(None);
    }
    Ok(Some(NewEpochReason::OlderCopy))
}

/// Returns whether the log has the stated entry. An entry that was trimmed since cannot be
/// compared, and counts as missing.
fn has_entry(db: &Connection, meta: &Meta, stated: Statement) -> Result<bool, SqliteFault> {
    if stated.n == meta.head {
        return Ok(stated.id == meta.head_id);
    }
    match read::history(db, head(meta), stated.n, &[], 0) {
        Ok(history) => Ok(history.entry == Some(stated.id)),
        Err(SqliteFault::Entries { .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}

impl OpenFailure {
    fn into_error(self, path: &Path) -> OpenError {
        match self {
            Self::Open(error) => error,
            Self::Io(error) => OpenError::io(path, error),
            Self::Read(SqliteFault::Sql(error)) => OpenError::sqlite(path, error),
            Self::Read(SqliteFault::Meta) => OpenError::Damaged {
                path: path.to_owned(),
                what: "the row that says where the log ends",
            },
            Self::Read(SqliteFault::Entries { what, .. } | SqliteFault::Index(what)) => {
                OpenError::Damaged {
                    path: path.to_owned(),
                    what,
                }
            }
        }
    }
}

/// Converts the error of the write in which [`open_log`] runs.
pub(super) fn open_failed(path: &Path, error: WriteError<OpenFailure>) -> OpenError {
    match error {
        WriteError::Refused(failure) => failure.into_error(path),
        WriteError::Unavailable(error) | WriteError::Unknown(error) => {
            OpenError::sqlite(path, error)
        }
        other => OpenError::io(path, io::Error::other(other.to_string())),
    }
}

impl From<SqliteFault> for OpenFailure {
    fn from(fault: SqliteFault) -> Self {
        Self::Read(fault)
    }
}

impl From<rusqlite::Error> for OpenFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Read(SqliteFault::Sql(error))
    }
}
