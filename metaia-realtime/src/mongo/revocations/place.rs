//! The place of a reader: what its next page is. No I/O, and no clock.
//!
//! The first pass reads everything, in the order of the ids. Each later pass reads what was changed
//! since the one before it, in the order of the times, and goes back:
//!
//! - by a minute ([`OVERLAP_MS`]), for what becomes visible late, and for the clock of a new
//!   primary that is behind that of the old one;
//! - or by 10 s only ([`RECENT_MS`]) if the minute before had very many changes, so that a storm of
//!   revocations is not read again as a whole each second. A `put` that returned took at most 5 s
//!   ([`OPERATION_TIMEOUT`]) from its time on. After a pass over the minute, as many passes follow
//!   over 10 s as it had thousands of records, by four: at most 30 ([`MAX_SKIPPED`]).
//!   The next pass over the minute goes back from the one before it, so that it omits nothing.

use mongodb::bson::{Bson, DateTime, Document, doc};
use serde::{Deserialize, Serialize};

use super::order_of_changes;
use crate::{mongo::options::OPERATION_TIMEOUT, revocation::RevocationCursor};

/// The time that a pass goes back, in ms.
const OVERLAP_MS: i64 = 60_000;

/// The time that a pass goes back while there are very many changes, in ms.
const RECENT_MS: i64 = 10_000;

const _: () = assert!(RECENT_MS as u128 >= 2 * OPERATION_TIMEOUT.as_millis());

/// The records of the overlap that a second may cost, on average.
const OVERLAP_PER_PASS: u64 = 4_000;

/// The most passes between two that go back by a minute.
const MAX_SKIPPED: u64 = 30;

/// The records that a reader has read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ReaderPlace {
    /// The server's time at the beginning of the last complete pass.
    read_at: Option<i64>,
    /// The same, of the last pass that went back by a minute.
    overlap_read_at: i64,
    /// The passes until one goes back by a minute again.
    skip: u64,
    /// The pass that is not over yet.
    pub(super) pass: Option<Pass>,
}

/// A pass, and where it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pass {
    /// The server's time at its beginning.
    began: i64,
    reach: Reach,
    pub(super) order: Order,
    /// The keys of the last document that was read, or where the pass begins.
    #[serde(with = "bytes")]
    pub(super) from: Option<Document>,
    /// The documents that it has read.
    count: u64,
}

/// Documents as their bytes: JSON would change the types of numbers.
mod bytes {
    use mongodb::bson::Document;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _, ser};

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn serialize<S: Serializer>(
        document: &Option<Document>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes = document.as_ref().map(Document::to_vec).transpose();
        bytes.map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Document>, D::Error> {
        let bytes = Option::<Vec<u8>>::deserialize(deserializer)?;
        let document = bytes
            .map(|bytes| Document::from_reader(&*bytes))
            .transpose();
        document.map_err(D::Error::custom)
    }
}

/// The time by which a pass goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Reach {
    Everything,
    Overlap,
    Recent,
}

/// The order of a pass, which is that of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    Ids,
    Changes,
}

impl Order {
    /// Returns the keys of the index.
    pub(super) fn keys(self) -> Document {
        match self {
            Self::Ids => doc! { "_id": 1 },
            Self::Changes => order_of_changes(),
        }
    }

    /// Returns the place of a document in the index.
    fn place_of(self, document: &Document) -> Option<Document> {
        let id = document.get("_id")?.clone();
        match self {
            Self::Ids => Some(doc! { "_id": id }),
            // A field with another value may have several places, or one behind all times.
            Self::Changes => {
                let changed = *document.get_datetime("changed").ok()?;
                Some(doc! { "changed": changed, "_id": id })
            }
        }
    }
}

impl ReaderPlace {
    /// Reads a cursor. Without one, and with one that is not from here, nothing was read yet.
    pub(super) fn read(cursor: Option<&RevocationCursor>) -> Self {
        let read = cursor.and_then(|cursor| serde_json::from_str(cursor.as_str()).ok());
        read.unwrap_or_default()
    }

    pub(super) fn write(&self) -> RevocationCursor {
        // Numbers and documents are always JSON. An empty cursor would read everything again.
        RevocationCursor::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Returns the pass that begins at `now`, the server's time.
    pub(super) fn begin_pass(&self, now: i64) -> Pass {
        let (reach, since) = match self.read_at {
            // A clock that was set back, or that of a new primary.
            None => (Reach::Everything, None),
            Some(read_at) if now < read_at => (Reach::Everything, None),
            Some(_) if self.skip == 0 => {
                let since = self.overlap_read_at.saturating_sub(OVERLAP_MS);
                (Reach::Overlap, Some(since))
            }
            Some(read_at) => (Reach::Recent, Some(read_at.saturating_sub(RECENT_MS))),
        };
        let changed_since =
            |since| doc! { "changed": DateTime::from_millis(since), "_id": Bson::MinKey };
        Pass {
            began: now,
            reach,
            order: since.map_or(Order::Ids, |_| Order::Changes),
            from: since.map(changed_since),
            count: 0,
        }
    }

    /// Returns the place of a reader in the middle of a pass.
    pub(super) fn within(self, pass: Pass) -> Self {
        Self {
            pass: Some(pass),
            ..self
        }
    }

    /// Returns the place of a reader after a pass, whose last page had this number of documents.
    pub(super) fn after_pass(self, pass: &Pass, last_page: usize) -> Self {
        let count = pass.count + last_page as u64;
        let (overlap_read_at, skip) = match pass.reach {
            Reach::Everything => (pass.began, 0),
            Reach::Overlap => (pass.began, (count / OVERLAP_PER_PASS).min(MAX_SKIPPED)),
            Reach::Recent => (self.overlap_read_at, self.skip.saturating_sub(1)),
        };
        Self {
            read_at: Some(pass.began),
            overlap_read_at,
            skip,
            pass: None,
        }
    }
}

impl Pass {
    /// Returns whether the pass has read this document in the page before.
    pub(super) fn has_read(&self, document: &Document) -> bool {
        let place = self.order.place_of(document);
        place.is_some() && place == self.from
    }

    /// Returns the pass after a page of these documents, which had room for `limit`; `None` if it
    /// is over.
    pub(super) fn after_page(&self, page: &[Document], limit: usize) -> Option<Self> {
        if page.len() < limit {
            return None;
        }
        let place_of = |document| self.order.place_of(document);
        let last = page.iter().rev().find_map(place_of)?;
        Some(Self {
            from: Some(last),
            count: self.count + page.len() as u64,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The records of a page, as a node asks for.
    const PAGE: usize = 1_000;

    /// A change at `changed`, which readers see from `visible` on.
    #[derive(Debug, Clone, Copy)]
    struct Change {
        changed: i64,
        visible: i64,
    }

    /// Returns the documents that a reader sees at `now`, in the order of the changes.
    fn seen_at(changes: &[Change], now: i64) -> Vec<Document> {
        let seen = changes.iter().enumerate();
        let mut seen: Vec<_> = seen
            .filter(|(_, change)| change.visible <= now)
            .map(|(id, change)| (change.changed, id as i64))
            .collect();
        seen.sort_unstable();
        let document = |(changed, id): (i64, i64)| {
            doc! { "changed": DateTime::from_millis(changed), "_id": id }
        };
        seen.into_iter().map(document).collect()
    }

    fn keys_of(document: &Document) -> (i64, i64) {
        let changed = document.get_datetime("changed").unwrap();
        // `MinKey`, where a pass begins.
        let id = document.get_i64("_id").unwrap_or(i64::MIN);
        (changed.timestamp_millis(), id)
    }

    /// Reads a pass by pages. Returns the ids that it has read, and the place after it.
    fn read_pass(place: ReaderPlace, seen: &[Document], now: i64) -> (Vec<usize>, ReaderPlace) {
        let mut pass = place.begin_pass(now);
        let mut read = Vec::new();
        loop {
            // The cursor is text in between.
            let place = ReaderPlace::read(Some(&place.clone().within(pass.clone()).write()));
            pass = place.pass.clone().unwrap();
            let from = pass.from.as_ref().map_or((i64::MIN, i64::MIN), keys_of);
            let begin = seen.partition_point(|document| keys_of(document) < from);
            let mut page: Vec<_> = seen[begin..].iter().take(PAGE + 1).cloned().collect();
            if page.first().is_some_and(|first| pass.has_read(first)) {
                page.remove(0);
            }
            page.truncate(PAGE);
            read.extend(page.iter().map(|document| keys_of(document).1 as usize));
            match pass.after_page(&page, PAGE) {
                Some(next) => pass = next,
                None => return (read, place.after_pass(&pass, page.len())),
            }
        }
    }

    /// A place after a first pass over nothing.
    fn empty_at(now: i64) -> ReaderPlace {
        let place = ReaderPlace::default();
        let pass = place.begin_pass(now);
        assert_eq!((pass.reach, &pass.from), (Reach::Everything, &None));
        place.after_pass(&pass, 0)
    }

    /// 30,000 records in a minute. A `put` that returned takes 5 s at most until it is visible; of
    /// those that were not acknowledged, some take nearly a minute.
    #[test]
    fn a_storm_is_read_without_a_gap_and_not_again_each_second() {
        let changes: Vec<_> = (0..30_000_i64)
            .map(|i| {
                let late = match i {
                    i if i % 101 == 0 => 59_000,
                    i if i % 10 == 0 => 5_000,
                    _ => 20,
                };
                let changed = 100_000 + i * 2;
                Change {
                    changed,
                    visible: changed + late,
                }
            })
            .collect();
        let mut place = empty_at(100_000);
        let mut first_read = BTreeMap::new();
        let mut sum = 0;
        for now in (101_000..300_000).step_by(1_000) {
            let seen = seen_at(&changes, now);
            let (read, after) = read_pass(place, &seen, now);
            let mut once = read.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), read.len(), "no record comes twice in a pass");
            for id in &read {
                first_read.entry(*id).or_insert(now);
            }
            sum += read.len();
            place = after;
        }
        for (id, change) in changes.iter().enumerate() {
            let read_at = first_read[&id];
            let is_late = change.visible - change.changed > 5_000;
            let bound = if is_late { 31_000 } else { 1_000 };
            assert!(read_at < change.visible + bound, "{change:?} at {read_at}");
        }
        // A pass over 10 s each second, and some over the minute: without them, 60 times as many.
        assert!(sum < 24 * changes.len(), "{sum}");
    }

    /// Few changes cost little: the minute is read again each second.
    #[test]
    fn few_changes_are_read_for_a_minute() {
        let changes = [Change {
            changed: 100_500,
            visible: 159_000,
        }];
        let mut place = empty_at(100_000);
        for now in (101_000..=159_000).step_by(1_000) {
            let (read, after) = read_pass(place, &seen_at(&changes, now), now);
            assert_eq!(!read.is_empty(), now == 159_000, "{now}");
            place = after;
        }
    }

    #[test]
    fn a_clock_that_was_set_back_has_everything_read() {
        let place = empty_at(100_000);
        assert_eq!(place.begin_pass(100_000).reach, Reach::Overlap);
        assert_eq!(place.begin_pass(99_999).reach, Reach::Everything);
        let strange = RevocationCursor::new("strange");
        let pass = ReaderPlace::read(Some(&strange)).begin_pass(100_000);
        assert_eq!(pass.reach, Reach::Everything);
    }

    /// A pass must not go back to a document whose time is none: it would have no end.
    #[test]
    fn a_time_that_is_none_is_no_place() {
        let pass = empty_at(100_000).begin_pass(101_000);
        let dated = doc! { "changed": DateTime::from_millis(101_000), "_id": "user a" };
        let strange = doc! { "changed": [DateTime::from_millis(7)], "_id": "user b" };
        let next = pass.after_page(&[dated.clone(), strange.clone()], 2);
        assert!(next.is_some_and(|next| next.has_read(&dated)));
        assert_eq!(pass.after_page(&[strange], 1), None);
    }
}
