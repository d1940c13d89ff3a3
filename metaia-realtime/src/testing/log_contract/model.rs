//! The model: every entry ever appended, in order. It judges the results of a log.
//!
//! Other tasks may append and trim meanwhile, so a result is judged [`Between`] the heads that were
//! seen before and after it.

use std::ops::RangeInclusive;

use super::{Verdict, ensure, equal};
use crate::{
    NewEntry, Position, Room,
    log::{Head, History, Page},
    values::Epoch,
};

/// All entries of a log: entry `n` at `n - 1`. It may have more than the log if a check knows the
/// later entries.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) epoch: Epoch,
    pub(super) entries: Vec<NewEntry>,
}

/// The arguments of a read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) rooms: Option<&'a [Room]>,
    pub(super) after: u64,
    pub(super) limit: usize,
}

/// The floors and heads that the log may have had during a read.
#[derive(Debug, Clone)]
pub(super) struct Between {
    floor: RangeInclusive<u64>,
    head: RangeInclusive<u64>,
}

impl Between {
    pub(super) fn new(before: Head, after: Head) -> Self {
        let head = before.position.n()..=after.position.n();
        Self {
            floor: before.floor..=after.floor,
            head,
        }
    }
}

impl Model {
    pub(super) fn entry(&self, n: u64) -> Option<&NewEntry> {
        self.entries.get(usize::try_from(n.checked_sub(1)?).ok()?)
    }

    /// Returns the numbers of the entries of the given rooms in a range.
    fn matching(
        &self,
        rooms: Option<&[Room]>,
        range: RangeInclusive<u64>,
    ) -> impl Iterator<Item = u64> {
        let range = *range.start().max(&1)..=*range.end().min(&(self.entries.len() as u64));
        range.filter(move |n| {
            let published = self.entry(*n).map_or(&[][..], NewEntry::rooms);
            rooms.is_none_or(|rooms| rooms.iter().any(|room| published.contains(room)))
        })
    }

    /// Returns the trimmed mark of the rooms if entries up to `floor` are gone.
    fn mark(&self, rooms: Option<&[Room]>, floor: u64) -> u64 {
        self.matching(rooms, 1..=floor).last().unwrap_or(0)
    }

    fn check_mark(&self, rooms: Option<&[Room]>, trimmed: u64, between: &Between) -> Verdict {
        let least = self.mark(rooms, *between.floor.start());
        let most = self.mark(rooms, *between.floor.end());
        ensure!(
            (least..=most).contains(&trimmed),
            "trimmed is {trimmed}, not {least} to {most}, with the floor {:?} (rooms {rooms:?})",
            between.floor
        );
        Ok(())
    }

    pub(super) fn check_head(&self, head: Head) -> Verdict {
        self.check_position(head.position)?;
        let n = head.position.n();
        ensure!(
            head.floor < n.max(1),
            "the floor is {} and the head {n}: the last entry is gone",
            head.floor
        );
        Ok(())
    }

    fn check_position(&self, position: Position) -> Verdict {
        let due = match self.entry(position.n()) {
            Some(new) => Position::new(self.epoch, position.n(), new.id()),
            None => Position::start(self.epoch),
        };
        equal("the position of the head", position, due)
    }

    pub(super) fn check_page(&self, asked: Asked<'_>, page: &Page, between: &Between) -> Verdict {
        self.check_entries(asked, page)
            .and_then(|()| self.check_holes(asked, page))
            .and_then(|()| Self::check_scanned(asked, page, between))
            .and_then(|()| self.check_mark(asked.rooms, page.trimmed, between))
            .and_then(|()| equal("the epoch of a page", page.epoch, self.epoch))
            .map_err(|what| format!("{what} ({asked:?}, {between:?})"))
    }

    /// Checks that every entry is in the rooms, in order, once, and as it was appended.
    fn check_entries(&self, asked: Asked<'_>, page: &Page) -> Verdict {
        ensure!(
            page.entries.len() <= asked.limit,
            "{} entries came",
            page.entries.len()
        );
        let mut last = asked.after;
        for entry in &page.entries {
            let n = entry.n();
            ensure!(n > last, "entry {n} came after {last}");
            last = n;
            let Some(new) = self.entry(n) else {
                return Err(format!("entry {n} was never appended"));
            };
            super::probe::check_same(entry, new)?;
            let is_in_rooms = self.matching(asked.rooms, n..=n).next().is_some();
            ensure!(is_in_rooms, "entry {n} is in none of the rooms");
        }
        ensure!(
            page.scanned >= last,
            "scanned is {}, before {last}",
            page.scanned
        );
        Ok(())
    }

    /// Checks that missing entries were trimmed, the oldest first, and that the page says so.
    fn check_holes(&self, asked: Asked<'_>, page: &Page) -> Verdict {
        let first = page.entries.first().map_or(u64::MAX, |entry| entry.n());
        let came = |n: &u64| {
            page.entries
                .binary_search_by_key(n, |entry| entry.n())
                .is_ok()
        };
        let from = asked.after.saturating_add(1);
        for n in self
            .matching(asked.rooms, from..=page.scanned)
            .filter(|n| !came(n))
        {
            ensure!(
                n <= page.trimmed,
                "entry {n} is missing, scanned is {}, trimmed {}",
                page.scanned,
                page.trimmed
            );
            ensure!(
                n < first,
                "entry {n} is gone, and the older entry {first} is not"
            );
        }
        Ok(())
    }

    /// Checks that a page that is not full has scanned the whole log, and that no page has scanned
    /// beyond the end.
    fn check_scanned(asked: Asked<'_>, page: &Page, between: &Between) -> Verdict {
        let most = asked.after.max(*between.head.end());
        ensure!(
            page.scanned <= most,
            "scanned is {}, beyond the end",
            page.scanned
        );
        let is_full = page.entries.len() == asked.limit;
        let is_complete = page.scanned >= *between.head.start();
        ensure!(
            is_full || is_complete,
            "{} entries came, and scanned is {}",
            page.entries.len(),
            page.scanned
        );
        Ok(())
    }

    pub(super) fn check_history(
        &self,
        asked: Asked<'_>,
        history: &History,
        between: &Between,
    ) -> Verdict {
        self.check_entry(asked, history, between)
            .and_then(|()| self.check_missed(asked, history, between))
            .and_then(|()| self.check_mark(asked.rooms, history.trimmed, between))
            .and_then(|()| self.check_position(history.head))
            .map_err(|what| format!("history: {what} ({asked:?}, {between:?})"))
    }

    fn check_entry(&self, asked: Asked<'_>, history: &History, between: &Between) -> Verdict {
        let n = asked.after;
        if let Some(id) = history.entry {
            return equal(
                format_args!("entry {n}"),
                Some(id),
                self.entry(n).map(NewEntry::id),
            );
        }
        let must_exist = n > *between.floor.end() && n <= *between.head.start();
        ensure!(!must_exist, "entry {n} is not there");
        let hidden = n <= history.head.n()
            && self
                .matching(asked.rooms, n..=n)
                .any(|n| n > history.trimmed);
        ensure!(
            !hidden,
            "entry {n} is not there, and trimmed is {}",
            history.trimmed
        );
        Ok(())
    }

    fn check_missed(&self, asked: Asked<'_>, history: &History, between: &Between) -> Verdict {
        let head = history.head.n();
        let missed = |after: u64| {
            self.matching(asked.rooms, after.saturating_add(1)..=head)
                .take(asked.limit)
                .count()
        };
        // Entries that count as trimmed may still exist for a while.
        let least = missed(asked.after.max(*between.floor.end()));
        let most = missed(asked.after);
        let came = history.missed;
        ensure!(
            (least..=most).contains(&came),
            "{came} were missed, not {least} to {most}"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventLog as _, MemoryLog, log::Retention};

    /// The page of a correct log passes, and each change to it is refused.
    #[tokio::test]
    async fn a_page_that_was_tampered_with_is_refused() {
        let log = MemoryLog::new(Retention::MEMORY.entries(4));
        let entries = super::super::sample::entries(6);
        log.append(entries.clone()).await.unwrap();
        let head = log.head().await.unwrap();
        let model = Model {
            epoch: head.position.epoch(),
            entries,
        };
        let between = Between::new(head, head);
        let page = log.read(None, 2, 2).await.unwrap();
        let check = |change: &dyn Fn(&mut Page)| {
            let mut page = page.clone();
            change(&mut page);
            model.check_page(
                Asked {
                    rooms: None,
                    after: 2,
                    limit: 2,
                },
                &page,
                &between,
            )
        };
        assert_eq!(check(&|_| ()), Ok(()));
        let changes: [&dyn Fn(&mut Page); 8] = [
            &|page| page.scanned = 5,
            &|page| page.scanned = 3,
            &|page| page.trimmed = 1,
            &|page| page.trimmed = 3,
            &|page| page.epoch = Epoch::random(),
            &|page| page.entries.swap(0, 1),
            &|page| drop(page.entries.remove(0)),
            &|page| drop(page.entries.pop()),
        ];
        for (i, change) in changes.into_iter().enumerate() {
            assert!(check(change).is_err(), "change {i}");
        }
    }
}
