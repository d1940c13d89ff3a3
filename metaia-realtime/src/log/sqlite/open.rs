//! Opening: is the log whole, and is it the one that clients remember?

use std::{fmt, io, path::Path};

use rusqlite::Connection;

use super::{
    damage::give_up,
    fault::Fault,
    marks,
    meta::Meta,
    read, schema,
    witness::{Statement, Witness},
};
use crate::{
    log::{
        Head,
        tail::{ENTRIES, Tail},
        trimmed::Trimmed,
    },
    sqlite::{OpenError, WriteError},
    values::Epoch,
};

/// An open log, as it is when nobody has used it yet.
pub(super) struct Opened {
    pub(super) tail: Tail,
    pub(super) witness: Witness,
    pub(super) statement: Statement,
}

/// Why a new epoch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It was made by [`super::SqliteLog::backup`].
    Copy,
    /// The last entries are damaged.
    Damaged,
    /// Nobody can say how far the log had come.
    NoWitness,
    /// The witness has seen another log.
    Another,
    /// The witness has seen more, or something else.
    Older,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Copy => "the database is a backup",
            Self::Damaged => "the last entries are damaged",
            Self::NoWitness => "the file that says how far the log had come is missing or damaged",
            Self::Another => "the database was put in the place of another",
            Self::Older => "the database is older than what clients have seen",
        })
    }
}

/// Why the log was not opened: the transaction is rolled back.
pub(super) enum Refusal {
    Open(OpenError),
    Fault(Fault),
    Io(io::Error),
}

/// Everything that happens at the opening, in one transaction. It reads the last entries and the
/// marks, never all.
pub(super) fn begin(db: &Connection, path: &Path) -> Result<Opened, Refusal> {
    schema::ensure(db)?;
    schema::check_version(db, path).map_err(Refusal::Open)?;
    let (witness, said) = Witness::open(path).map_err(Refusal::Io)?;
    let before = Meta::read(db)?;
    let mut meta = before.clone();
    let marks = marks_of(db, path, &mut meta)?;
    let damaged = give_up_what_is_damaged(db, path, &mut meta)?;
    if let Some(reason) = reason(db, &meta, said, damaged)? {
        tracing::info!(path = %path.display(), "the log begins a new epoch: {reason}; clients will reload");
        (meta.epoch, meta.copied) = (Epoch::random(), false);
    }
    if meta != before {
        meta.write(db)?;
    }
    let head = Head {
        position: meta.position(),
        floor: meta.floor,
    };
    let mut tail = Tail::new(head, marks).lost(meta.lost).stored(meta.bytes);
    tail.fill(&last_entries(db, &meta)?);
    Ok(Opened {
        tail,
        witness,
        statement: Statement::of_log(&meta),
    })
}

fn marks_of(db: &Connection, path: &Path, meta: &mut Meta) -> Result<Trimmed, Refusal> {
    if let Some(marks) = marks::load(db, meta)? {
        return Ok(Trimmed::from_marks(marks, meta.others));
    }
    tracing::error!(path = %path.display(), "what is known of trimmed entries is damaged: more clients will reload");
    marks::forget(db, meta)?;
    meta.lost = meta.floor;
    Ok(Trimmed::default())
}

/// The last entries, which the first who come back will ask for.
fn last_entries(
    db: &Connection,
    meta: &Meta,
) -> Result<Vec<std::sync::Arc<crate::log::Entry>>, Fault> {
    let from = meta.floor.max(meta.head.saturating_sub(ENTRIES as u64));
    let entries = read::all(db, meta, from, ENTRIES)?;
    let last = entries.last().map(|entry| entry.content().id());
    match last {
        Some(id) if id != meta.head_id => Err(Fault::anywhere("the last entry is another one")),
        Some(_) | None => Ok(entries),
    }
}

/// Answers whether something was.
fn give_up_what_is_damaged(db: &Connection, path: &Path, meta: &mut Meta) -> Result<bool, Fault> {
    match last_entries(db, meta) {
        Ok(_) => Ok(false),
        Err(Fault::Entries { upto, what }) => {
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

/// Whether what clients remember may differ from what is here, and why.
fn reason(
    db: &Connection,
    meta: &Meta,
    said: Option<Statement>,
    damaged: bool,
) -> Result<Option<Reason>, Fault> {
    if meta.copied {
        return Ok(Some(Reason::Copy));
    }
    if damaged {
        return Ok(Some(Reason::Damaged));
    }
    Ok(match said {
        // Nobody can remember anything of an empty log.
        None if meta.head == 0 => None,
        None => Some(Reason::NoWitness),
        Some(said) if said.epoch != meta.epoch => Some(Reason::Another),
        Some(said) if said.n == 0 || agrees(db, meta, said)? => None,
        Some(_) => Some(Reason::Older),
    })
}

/// Whether the entry that was seen is there. One that was trimmed since cannot be vouched for.
fn agrees(db: &Connection, meta: &Meta, said: Statement) -> Result<bool, Fault> {
    if said.n == meta.head {
        return Ok(said.id == meta.head_id);
    }
    let all = Head {
        position: meta.position(),
        floor: meta.floor,
    };
    let past = match read::past(db, all, said.n, &[], 0) {
        Err(Fault::Entries { .. }) => return Ok(false),
        other => other?,
    };
    Ok(past.entry == Some(said.id))
}

impl Refusal {
    fn into_error(self, path: &Path) -> OpenError {
        match self {
            Self::Open(error) => error,
            Self::Io(error) => OpenError::io(path, error),
            Self::Fault(Fault::Sql(error)) => OpenError::sqlite(path, error),
            Self::Fault(Fault::Meta) => OpenError::Damaged {
                path: path.to_owned(),
                what: "the row that says where the log ends",
            },
            Self::Fault(Fault::Entries { what, .. } | Fault::Index(what)) => OpenError::Damaged {
                path: path.to_owned(),
                what,
            },
        }
    }
}

pub(super) fn of_write(path: &Path, error: WriteError<Refusal>) -> OpenError {
    match error {
        WriteError::Refused(refusal) => refusal.into_error(path),
        WriteError::Unavailable(error) | WriteError::Unknown(error) => {
            OpenError::sqlite(path, error)
        }
        other => OpenError::io(path, io::Error::other(other.to_string())),
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(Fault::Sql(error))
    }
}
