//! The one row that says where the log ends and what it still has. Every append and every trim
//! writes it anew.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use super::{fault::Fault, schema::VERSION, sum::Sum};
use crate::{EventId, Position, values::Epoch};

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) epoch: Epoch,
    /// The number of the last entry.
    pub(super) head: u64,
    /// The last entry's id: it is known even where that row is damaged.
    pub(super) head_id: EventId,
    /// Entries up to and with this number are gone.
    pub(super) floor: u64,
    /// Up to here it is not known what was in which room: it counts as trimmed in all of them.
    pub(super) lost: u64,
    /// The trimmed mark of all rooms without one of their own.
    pub(super) others: u64,
    /// The checksum of all trimmed marks.
    pub(super) marks: i64,
    /// How many bytes the entries take, as [`crate::NewEntry::size`] counts them.
    pub(super) bytes: u64,
    /// Whether this is a copy that has not been opened yet.
    pub(super) copied: bool,
}

impl Meta {
    /// That of an empty log, of a new epoch.
    pub(super) fn first() -> Self {
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

    /// The position of the last entry.
    pub(super) fn position(&self) -> Position {
        match self.head {
            0 => Position::start(self.epoch),
            n => Position::of(self.epoch, n, self.head_id),
        }
    }

    pub(super) fn read(db: &Connection) -> Result<Self, Fault> {
        let sql = "SELECT epoch, head, head_id, floor, lost, others, marks, bytes, copied, sum
            FROM rt_meta WHERE one = 1";
        let read = |row: &Row<'_>| Ok(Self::parse(row).ok().flatten());
        db.prepare_cached(sql)?
            .query_row([], read)
            .optional()?
            .flatten()
            .ok_or(Fault::Meta)
    }

    /// `None` where the row is not what was written.
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
        let whole = meta.sum() == row.get::<_, i64>(9)? && meta.floor <= meta.head;
        Ok(whole.then_some(meta))
    }

    pub(super) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO rt_meta
            (one, version, epoch, head, head_id, floor, lost, others, marks, bytes, copied, sum) VALUES
            (1, :version, :epoch, :head, :head_id, :floor, :lost, :others, :marks, :bytes, :copied, :sum)
            ON CONFLICT (one) DO UPDATE SET
            version = :version, epoch = :epoch, head = :head, head_id = :head_id, floor = :floor, lost = :lost,
            others = :others, marks = :marks, bytes = :bytes, copied = :copied, sum = :sum";
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
            ":sum": self.sum(),
        })?;
        Ok(())
    }

    fn sum(&self) -> i64 {
        let numbers = [
            self.epoch.to_bits(),
            self.head,
            self.floor,
            self.lost,
            self.others,
            self.bytes,
        ];
        let sum = Sum::of("meta")
            .number(VERSION)
            .bytes(&self.head_id.to_bytes());
        let sum = numbers
            .into_iter()
            .fold(sum, |sum, number| sum.number(number.cast_signed()));
        sum.number(self.marks).number(self.copied.into()).end()
    }
}
