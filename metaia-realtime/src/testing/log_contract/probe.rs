//! A log under test, with the checks that apply to every result.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Verdict, ensure, equal};
use crate::{
    EventLog, NewEntry, Position, Room,
    log::{Entry, Head, History, LogError, Page},
};

/// Entries that a check reads at once if it reads them all.
const PAGE: usize = 100;

/// A log, shared by the tasks of a check.
#[derive(Debug)]
pub(super) struct LogProbe<L>(Arc<L>);

impl<L> Clone for LogProbe<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: EventLog> LogProbe<L> {
    pub(super) fn new(log: L) -> Self {
        Self(Arc::new(log))
    }

    pub(super) fn log(&self) -> &L {
        &self.0
    }

    /// Returns the log itself, when all tasks have ended.
    pub(super) fn into_log(self) -> L {
        Arc::into_inner(self.0).unwrap_or_else(|| panic!("a task of the check still has the log"))
    }

    /// Appends, and returns the numbers.
    pub(super) async fn append(&self, batch: &[NewEntry]) -> Verdict<Vec<u64>> {
        let positions = self.append_at(batch).await?;
        Ok(positions.into_iter().map(Position::n).collect())
    }

    /// Appends, and returns the positions.
    pub(super) async fn append_at(&self, batch: &[NewEntry]) -> Verdict<Vec<Position>> {
        let positions = self
            .0
            .append(batch.to_vec())
            .await
            .map_err(failed("append"))?;
        equal(
            "the number of positions of an append",
            positions.len(),
            batch.len(),
        )?;
        for (position, new) in positions.iter().zip(batch) {
            ensure!(
                position.follows(new.id()),
                "the position {position} is not that of {}",
                new.id()
            );
        }
        Ok(positions)
    }

    pub(super) async fn head(&self) -> Verdict<Head> {
        self.0.head().await.map_err(failed("head"))
    }

    pub(super) async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Verdict<Page> {
        self.0
            .read(rooms, after, limit)
            .await
            .map_err(failed("read"))
    }

    pub(super) async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Verdict<History> {
        self.0
            .history(n, rooms, limit)
            .await
            .map_err(failed("history"))
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes()
    }

    /// Reads all entries of the log, page by page.
    pub(super) async fn all(&self) -> Verdict<Vec<Arc<Entry>>> {
        let mut entries = Vec::new();
        let mut after = 0;
        loop {
            let page = self.read(None, after, PAGE).await?;
            let is_full = page.entries.len() >= PAGE;
            ensure!(
                page.scanned > after || !is_full,
                "a full page after {after} has scanned to {}",
                page.scanned
            );
            after = page.scanned;
            entries.extend(page.entries);
            if !is_full {
                return Ok(entries);
            }
        }
    }

    /// Reads the numbers of all entries of the log.
    pub(super) async fn numbers(&self) -> Verdict<Vec<u64>> {
        Ok(self.all().await?.iter().map(|entry| entry.n()).collect())
    }

    /// Checks that the log has exactly these entries, numbered from 1.
    pub(super) async fn has_exactly(&self, appended: &[NewEntry]) -> Verdict {
        let entries = self.all().await?;
        for ((n, new), entry) in (1..).zip(appended).zip(&entries) {
            equal(format_args!("the number of entry {n}"), entry.n(), n)?;
            check_same(entry, new)?;
        }
        equal("entries in the log", entries.len(), appended.len())?;
        equal(
            "the head",
            self.head().await?.position.n(),
            appended.len() as u64,
        )
    }
}

fn failed(what: &'static str) -> impl Fn(LogError) -> String {
    move |error| {
        let source = std::error::Error::source(&error);
        let source = source.map_or_else(String::new, ToString::to_string);
        format!("{what} failed: {error}: {source}")
    }
}

/// Checks that an entry is what was appended.
pub(super) fn check_same(entry: &Entry, new: &NewEntry) -> Verdict {
    let n = entry.n();
    let content = entry.content();
    equal(format_args!("the id of entry {n}"), content.id(), new.id())?;
    equal(
        format_args!("the name of entry {n}"),
        content.name(),
        new.name(),
    )?;
    equal(
        format_args!("the payload of entry {n}"),
        content.payload().as_str(),
        new.payload().as_str(),
    )?;
    equal(
        format_args!("the rooms of entry {n}"),
        set(content.rooms()),
        set(new.rooms()),
    )?;
    equal(
        format_args!("the kind of entry {n}"),
        content.kind(),
        new.kind(),
    )
}

/// Returns the rooms without order and repetition, which have no meaning.
fn set(rooms: &[Room]) -> std::collections::BTreeSet<&Room> {
    rooms.iter().collect()
}
