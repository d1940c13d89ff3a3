//! The head of the log: the one document that every batch writes.

use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

use super::{
    bson::{from_event_id, from_number, to_event_id, to_uuid},
    fault::MongoFault,
    pending::PendingBatch,
};
use crate::{
    Position,
    log::Head,
    values::{Epoch, EventId},
};

/// The collection of the head.
pub(super) const HEAD: &str = "rt_head";
/// The `_id` of the head.
pub(super) const KEY: &str = "log";

/// A bound that no log reaches. A larger number was not written by this crate.
const MAX_NUMBER: u64 = 1 << 53;

const DAMAGED: MongoFault = MongoFault::Damaged("the head of the log");

/// The state of the head that a batch is planned from. It must still hold when the batch is
/// written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeadVersion {
    pub(super) epoch: Epoch,
    /// Rises by one with every batch of any node.
    pub(super) turn: i64,
    /// The number of the last entry.
    pub(super) n: u64,
    /// The id of the last entry.
    pub(super) id: EventId,
}

impl HeadVersion {
    /// Returns the position of the last entry.
    pub(super) fn position(&self) -> Position {
        match self.n {
            0 => Position::start(self.epoch),
            n => Position::new(self.epoch, n, self.id),
        }
    }

    /// Returns a filter that matches the head only in this state.
    pub(super) fn filter(&self) -> Document {
        doc! { "_id": KEY, "epoch": self.epoch.to_bits().cast_signed(), "turn": self.turn }
    }
}

/// The head document.
#[derive(Debug, Clone)]
pub(super) struct HeadRecord {
    pub(super) version: HeadVersion,
    /// Entries up to and including this number have been trimmed.
    pub(super) floor: u64,
    /// Entries up to and including this number were damaged. Their rooms are not known, so they
    /// count as trimmed in all rooms.
    pub(super) lost: u64,
    /// The trimmed mark of all rooms without a mark of their own.
    pub(super) others: u64,
    /// The size of all entries in bytes, as [`crate::NewEntry::size`] counts them.
    pub(super) bytes: u64,
    /// The last batch of each committer: pairs of committer and batch.
    recent: Vec<(Uuid, Uuid)>,
    /// On a standalone server: the batch that is committed and may not be carried out yet.
    pub(super) pending: Option<PendingBatch>,
}

impl HeadRecord {
    pub(super) fn read(document: &Document) -> Result<Self, MongoFault> {
        Self::parse(document)
            .filter(Self::is_possible)
            .ok_or(DAMAGED)
    }

    fn is_possible(&self) -> bool {
        let HeadVersion { n, turn, .. } = self.version;
        self.floor <= n && n < MAX_NUMBER && turn.unsigned_abs() < MAX_NUMBER
    }

    fn parse(document: &Document) -> Option<Self> {
        let number = |name| u64::try_from(document.get_i64(name).ok()?).ok();
        let version = HeadVersion {
            epoch: Epoch::from_bits(document.get_i64("epoch").ok()?.cast_unsigned()),
            turn: document.get_i64("turn").ok()?,
            n: number("n")?,
            id: to_event_id(document.get("id")?)?,
        };
        let recent = document
            .get_array("recent")
            .ok()?
            .iter()
            .map(parse_recent)
            .collect::<Option<_>>()?;
        let pending = match document.get("pending") {
            None | Some(Bson::Null) => None,
            Some(pending) => Some(PendingBatch::read(pending.as_document()?)?),
        };
        Some(Self {
            version,
            floor: number("floor")?,
            lost: number("lost").unwrap_or(0),
            others: number("others")?,
            bytes: u64::try_from(document.get_i64("bytes").ok()?.max(0)).ok()?,
            recent,
            pending,
        })
    }

    /// Returns the first head of a log that continues after an entry, in a new epoch.
    pub(super) fn first(n: u64, id: EventId) -> Document {
        doc! {
            "_id": KEY,
            "epoch": Epoch::random().to_bits().cast_signed(),
            "turn": 0_i64,
            "n": from_number(n),
            "id": from_event_id(id),
            "floor": 0_i64,
            "others": 0_i64,
            "bytes": 0_i64,
            "recent": [],
        }
    }

    /// Returns the bounds of the log.
    pub(super) fn head(&self) -> Head {
        Head {
            position: self.version.position(),
            floor: self.floor,
        }
    }

    /// Returns true if the batch is the last one that the committer has stored.
    pub(super) fn is_last_batch_of(&self, committer: Uuid, batch: Uuid) -> bool {
        self.recent.contains(&(committer, batch))
    }
}

fn parse_recent(recent: &Bson) -> Option<(Uuid, Uuid)> {
    let recent = recent.as_document()?;
    let committer = to_uuid(recent.get("by")?)?;
    let batch = to_uuid(recent.get("batch")?)?;
    Some((committer, batch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mongo::earlier;

    #[test]
    fn a_head_reads_back() {
        let id = EventId::random();
        let head = HeadRecord::read(&HeadRecord::first(7, id)).unwrap();
        assert_eq!((head.version.n, head.version.id, head.floor), (7, id, 0));
    }

    #[test]
    fn a_head_of_an_earlier_version_has_the_same_members() {
        for file in ["mongodb/rt_head", "interrupted/rt_head"] {
            for stored in earlier::documents(file) {
                let head = HeadRecord::read(&stored).unwrap();
                let first = HeadRecord::first(head.version.n, head.version.id);
                for (name, value) in first {
                    let earlier = stored.get(&name).unwrap();
                    assert_eq!(value.element_type(), earlier.element_type(), "{name}");
                }
                assert_eq!(head.recent.len(), stored.get_array("recent").unwrap().len());
            }
        }
    }

    #[test]
    fn a_document_that_is_no_head_is_refused() {
        let sound = HeadRecord::first(7, EventId::random());
        for name in [
            "epoch", "turn", "n", "id", "floor", "others", "bytes", "recent",
        ] {
            let mut missing = sound.clone();
            missing.remove(name);
            assert!(HeadRecord::read(&missing).is_err(), "{name}");
            for wrong in [
                Bson::Null,
                Bson::Int64(-1),
                "x".into(),
                doc! { "$ne": 1 }.into(),
                vec![1].into(),
            ] {
                let mut other = sound.clone();
                other.insert(name, wrong.clone());
                let fits = matches!((name, &wrong), ("epoch" | "turn" | "bytes", Bson::Int64(_)));
                assert_eq!(HeadRecord::read(&other).is_ok(), fits, "{name}: {wrong}");
            }
        }
        let mut beyond = sound;
        beyond.insert("floor", 8_i64);
        assert!(HeadRecord::read(&beyond).is_err());
    }
}
