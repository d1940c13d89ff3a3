//! The log's head: the one document that every batch writes.

use mongodb::bson::{Binary, Bson, Document, Uuid as BsonUuid, doc, spec::BinarySubtype};
use uuid::Uuid;

use super::{
    commit::{Pending, Standing},
    fault::Fault,
};
use crate::{EventId, Position, log::Head, values::Epoch};

/// Its collection.
pub(in crate::mongo) const HEAD: &str = "rt_head";
/// Its `_id`.
pub(in crate::mongo) const KEY: &str = "log";

/// How many committers' last batches it names.
pub(in crate::mongo) const RECENT: i32 = 64;

/// No log has as many entries or batches: a number beyond it was written by somebody else.
const MOST: u64 = 1 << 53;

const DAMAGED: Fault = Fault::Damaged("the head of the log");

/// See the [module](self).
#[derive(Debug, Clone)]
pub(in crate::mongo) struct HeadRecord {
    pub(in crate::mongo) standing: Standing,
    /// Entries up to and with this number are gone.
    pub(in crate::mongo) floor: u64,
    /// Up to here it is not known what was in which room: it counts as trimmed in all of them.
    pub(in crate::mongo) lost: u64,
    /// The trimmed mark of all rooms without one of their own.
    pub(in crate::mongo) others: u64,
    /// How many bytes the entries take, as [`crate::NewEntry::size`] counts them.
    pub(in crate::mongo) bytes: u64,
    /// The last batch of each committer.
    recent: Vec<(Uuid, Uuid)>,
    /// What is still to be carried out, on a standalone server.
    pub(in crate::mongo) pending: Option<Pending>,
}

impl HeadRecord {
    pub(in crate::mongo) fn read(document: &Document) -> Result<Self, Fault> {
        Self::parse(document)
            .filter(Self::is_possible)
            .ok_or(DAMAGED)
    }

    fn is_possible(&self) -> bool {
        let Standing { n, turn, .. } = self.standing;
        self.floor <= n && n < MOST && turn.unsigned_abs() < MOST
    }

    fn parse(document: &Document) -> Option<Self> {
        let number = |name| u64::try_from(document.get_i64(name).ok()?).ok();
        let standing = Standing {
            epoch: Epoch::from_bits(document.get_i64("epoch").ok()?.cast_unsigned()),
            turn: document.get_i64("turn").ok()?,
            n: number("n")?,
            id: event_id(document.get("id")?)?,
        };
        let recent = document
            .get_array("recent")
            .ok()?
            .iter()
            .map(done)
            .collect::<Option<_>>()?;
        Some(Self {
            standing,
            floor: number("floor")?,
            lost: number("lost").unwrap_or(0),
            others: number("others")?,
            bytes: u64::try_from(document.get_i64("bytes").ok()?.max(0)).ok()?,
            recent,
            pending: match document.get("pending") {
                None | Some(Bson::Null) => None,
                Some(pending) => Some(Pending::read(pending.as_document()?)?),
            },
        })
    }

    /// That of a log which goes on after an entry, in a new epoch.
    pub(in crate::mongo) fn first(n: u64, id: EventId) -> Document {
        doc! {
            "_id": KEY,
            "epoch": Epoch::random().to_bits().cast_signed(),
            "turn": 0_i64,
            "n": n.cast_signed(),
            "id": binary(id),
            "floor": 0_i64,
            "others": 0_i64,
            "bytes": 0_i64,
            "recent": [],
        }
    }

    /// Where the log begins and ends.
    pub(in crate::mongo) fn head(&self) -> Head {
        Head {
            position: self.standing.position(),
            floor: self.floor,
        }
    }

    /// Whether this is the last batch of the committer.
    pub(in crate::mongo) fn names(&self, committer: Uuid, batch: Uuid) -> bool {
        self.recent.contains(&(committer, batch))
    }
}

impl Standing {
    pub(in crate::mongo) fn position(&self) -> Position {
        match self.n {
            0 => Position::start(self.epoch),
            n => Position::of(self.epoch, n, self.id),
        }
    }

    /// The head that stands so.
    pub(in crate::mongo) fn filter(&self) -> Document {
        doc! { "_id": KEY, "epoch": self.epoch.to_bits().cast_signed(), "turn": self.turn }
    }
}

fn done(named: &Bson) -> Option<(Uuid, Uuid)> {
    let named = named.as_document()?;
    Some((uuid(named.get("by")?)?, uuid(named.get("batch")?)?))
}

pub(in crate::mongo) fn uuid(value: &Bson) -> Option<Uuid> {
    let Bson::Binary(binary) = value else {
        return None;
    };
    Uuid::from_slice(&binary.bytes).ok()
}

/// As a document holds it.
pub(in crate::mongo) fn of_uuid(uuid: Uuid) -> Bson {
    BsonUuid::from_bytes(uuid.into_bytes()).into()
}

/// As a document holds it.
pub(in crate::mongo) fn binary(id: EventId) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: id.to_bytes().to_vec(),
    }
}

pub(in crate::mongo) fn event_id(value: &Bson) -> Option<EventId> {
    let Bson::Binary(binary) = value else {
        return None;
    };
    Some(EventId::from_bytes(
        binary.bytes.as_slice().try_into().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back() {
        let id = EventId::random();
        let head = HeadRecord::read(&HeadRecord::first(7, id)).unwrap();
        assert_eq!((head.standing.n, head.standing.id, head.floor), (7, id, 0));
    }

    #[test]
    fn what_is_no_head_is_refused() {
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
