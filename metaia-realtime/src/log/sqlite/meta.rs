//! The one row that records where the log ends and which entries it still has. Every append and
//! every trim rewrites it.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use super::{checksum::Checksum, fault::SqliteFault, version::VERSION};
use crate::{
    Position,
    values::{Epoch, EventId},
};

/// The row: the end of the log, the bounds of what it still has, and the checksum of the marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) epoch: Epoch,
    /// The number of the last entry.
    pub(super) head: u64,
    /// The last entry's id: it is known even if that row is damaged.
    pub(super) head_id: EventId,
    /// Entries up to and with this number are gone.
    pub(super) floor: u64,
    /// The last entry whose rooms are unknown because of damage. All rooms count as trimmed up to
    /// here.
    pub(super) lost: u64,
    /// The shared trim mark of all rooms without a mark of their own.
    pub(super) others: u64,
    /// The checksum of all trim marks of rooms.
    pub(super) marks: i64,
    /// The size of the entries in bytes, as [`crate::NewEntry::size`] counts them.
    pub(super) bytes: u64,
    /// Set in a copy that has not been opened yet.
    pub(super) copied: bool,
}

impl Meta {
    /// Returns the row of an empty log of a new epoch.
    pub(super) fn empty_log() -> Self {
        Self {
            epoch: Epoch::random(),
            head: 0,
            head_id: EventId::from_bytes([0; 16]),
            floor: 0,
            lost: 0,
            others: 0,
            marks: 0,
            bytes: 0,
            copied: false,
        }
    }

    /// Returns the position of the last entry.
    pub(super) fn position(&self) -> Position {
        match self.head {
            0 => Position::start(self.epoch),
            n => Position::new(self.epoch, n, self.head_id),
        }
    }

    pub(super) fn read(db: &Connection) -> Result<Self, SqliteFault> {
        let sql = "SELECT epoch, head, head_id, floor, lost, others, marks, bytes, copied, sum
            FROM rt_meta WHERE one = 1";
        // A column of another type is damage of the row, not an error of the query.
        let parse = |row: &Row<'_>| Ok(Self::parse(row).ok().flatten());
        let meta = db.prepare_cached(sql)?.query_row([], parse).optional()?;
        meta.flatten().ok_or(SqliteFault::Meta)
    }

    /// Returns `None` if the row is not what was written.
    fn parse(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let meta = Self {
            epoch: Epoch::from_bits(number(0)?),
            head: number(1)?,
            head_id: EventId::from_bytes(row.get(2)?),
            floor: number(3)?,
            lost: number(4)?,
            others: number(5)?,
            marks: row.get(6)?,
            bytes: number(7)?,
            copied: row.get(8)?,
        };
        let is_whole = meta.checksum() == row.get::<_, i64>(9)? && meta.floor <= meta.head;
        if is_whole { Ok(Some(meta)) } else { Ok(None) }
    }

    pub(super) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO rt_meta
            (one, version, epoch, head, head_id, floor, lost, others, marks, bytes, copied, sum)
            VALUES (1, :version, :epoch, :head, :head_id, :floor, :lost, :others, :marks, :bytes,
            :copied, :sum)
            ON CONFLICT (one) DO UPDATE SET
            version = :version, epoch = :epoch, head = :head, head_id = :head_id, floor = :floor,
            lost = :lost, others = :others, marks = :marks, bytes = :bytes, copied = :copied,
            sum = :sum";
        db.prepare_cached(sql)?.execute(named_params! {
            ":version": VERSION,
            ":epoch": self.epoch.to_bits().cast_signed(),
            ":head": self.head.cast_signed(),
            ":head_id": self.head_id.to_bytes(),
            ":floor": self.floor.cast_signed(),
            ":lost": self.lost.cast_signed(),
            ":others": self.others.cast_signed(),
            ":marks": self.marks,
            ":bytes": self.bytes.cast_signed(),
            ":copied": self.copied,
            ":sum": self.checksum(),
        })?;
        Ok(())
    }

    fn checksum(&self) -> i64 {
        // The order of the fields is part of the file format.
        Checksum::new("meta")
            .number(VERSION)
            .bytes(&self.head_id.to_bytes())
            .number(self.epoch.to_bits().cast_signed())
            .number(self.head.cast_signed())
            .number(self.floor.cast_signed())
            .number(self.lost.cast_signed())
            .number(self.others.cast_signed())
            .number(self.bytes.cast_signed())
            .number(self.marks)
            .number(self.copied.into())
            .finish()
    }
}
