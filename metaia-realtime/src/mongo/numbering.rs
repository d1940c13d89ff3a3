//! The numbers of new entries. A pure kernel.

use std::{collections::HashMap, sync::Arc};

use super::head::HeadVersion;
use crate::{NewEntry, Position, log::Entry, values::EventId};

/// Gives entries the numbers that follow the head.
pub(super) struct Numbering<'a> {
    /// The head as it will be after the entries so far, but for its `turn`.
    version: HeadVersion,
    /// The numbers of entries that the log has already.
    known: &'a HashMap<EventId, u64>,
    /// The numbers that this batch has given so far.
    given: HashMap<EventId, u64>,
    ts: i64,
    /// The new entries, in the order of their numbers.
    pub(super) entries: Vec<Arc<Entry>>,
}

impl<'a> Numbering<'a> {
    /// Starts after the head. The entries are of the time `ts`, in ms since the Unix epoch.
    pub(super) fn after(version: HeadVersion, known: &'a HashMap<EventId, u64>, ts: i64) -> Self {
        Self {
            version,
            known,
            given: HashMap::new(),
            ts,
            entries: Vec::new(),
        }
    }

    /// Returns the position of an entry. An entry whose id has no number yet gets the next one.
    pub(super) fn place(&mut self, new: &NewEntry) -> Position {
        let id = new.id();
        let epoch = self.version.epoch;
        if let Some(n) = self.known.get(&id).or_else(|| self.given.get(&id)) {
            return Position::new(epoch, *n, id);
        }
        let n = self.version.n + 1;
        let entry = Entry::new(epoch, n, self.ts, new.clone());
        self.entries.push(Arc::new(entry));
        self.given.insert(id, n);
        self.version.n = n;
        self.version.id = id;
        Position::new(epoch, n, id)
    }

    /// Returns the state of the head once all entries are written.
    pub(super) fn end(&self) -> HeadVersion {
        HeadVersion {
            turn: self.version.turn + 1,
            ..self.version
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Epoch;
    use proptest::prelude::*;
    use serde_json::json;

    fn id(i: u8) -> EventId {
        EventId::from_bytes([i; 16])
    }

    fn entry(i: u8) -> NewEntry {
        NewEntry::event([], ("e", json!({})))
            .unwrap()
            .with_id(id(i))
    }

    proptest! {
        /// Checks that new entries follow the head without a hole, each once, in the order of their
        /// first mention, and that every position is that of its entry, whatever entries are known
        /// or repeated.
        #[test]
        fn entries_are_numbered_without_holes(
            n in 0u64..1_000,
            known in proptest::collection::btree_set(0u8..30, 0..10),
            ids in proptest::collection::vec(0u8..30, 0..40),
        ) {
            let epoch = Epoch::from_bits(7);
            let before = HeadVersion { epoch, turn: 3, n, id: id(99) };
            let had: HashMap<EventId, u64> =
                known.iter().map(|i| (id(*i), u64::from(*i))).collect();
            let mut numbering = Numbering::after(before, &had, 5);
            let mut first = Vec::new();
            for i in ids {
                if !known.contains(&i) && !first.contains(&i) {
                    first.push(i);
                }
                let due = had.get(&id(i)).copied().unwrap_or_else(|| {
                    n + 1 + first.iter().position(|f| *f == i).unwrap() as u64
                });
                prop_assert_eq!(numbering.place(&entry(i)), Position::new(epoch, due, id(i)));
            }
            let due: Vec<_> = (n + 1..)
                .zip(&first)
                .map(|(n, i)| Position::new(epoch, n, id(*i)))
                .collect();
            let entries: Vec<_> = numbering.entries.iter().map(|entry| entry.position()).collect();
            prop_assert_eq!(entries, due);
            let last = first.last().map_or(id(99), |i| id(*i));
            let due = HeadVersion { turn: 4, n: n + first.len() as u64, id: last, ..before };
            prop_assert_eq!(numbering.end(), due);
        }
    }
}
