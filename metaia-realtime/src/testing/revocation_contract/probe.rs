//! Calls of a store, with errors as sentences; and a reader that goes from cursor to cursor.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    revocation::{
        Revocation, RevocationChanges, RevocationCursor, RevocationError, RevocationStore,
    },
    testing::contract::{Verdict, ensure, equal},
};

/// The bounds of records, by their keys.
pub(super) type StandingBounds = BTreeMap<String, i64>;

/// Stores a revocation, and returns the record that stands.
pub(super) async fn put(
    store: &impl RevocationStore,
    revocation: &Revocation,
) -> Verdict<Revocation> {
    let stored = store.put(revocation.clone()).await;
    stored.map_err(|error| failed("put", &error))
}

/// Stores revocations, each of which must stand.
pub(super) async fn put_all(store: &impl RevocationStore, revocations: &[Revocation]) -> Verdict {
    for revocation in revocations {
        let standing = put(store, revocation).await?;
        equal("the record that stands", &standing, revocation)?;
    }
    Ok(())
}

/// Checks that the store has these records and no others.
pub(super) async fn has(store: &impl RevocationStore, due: &[Revocation]) -> Verdict {
    let found = ChangeReader::default().read(store).await?;
    equal("the records", found, records(due))
}

/// Returns the records that stand after these revocations.
pub(super) fn records(revocations: &[Revocation]) -> StandingBounds {
    let mut records = StandingBounds::new();
    for revocation in revocations {
        add(&mut records, revocation);
    }
    records
}

pub(super) fn add(records: &mut StandingBounds, revocation: &Revocation) {
    let bound = records
        .entry(revocation.key())
        .or_insert(revocation.bound());
    *bound = revocation.bound().max(*bound);
}

/// The records of a page, unless a check says otherwise: so few that every check crosses borders.
const PAGE: usize = 5;

/// The most pages of a pass: no check has more records.
const MAX_PAGES: usize = 1_000;

/// A node that reads the changes of a store.
pub(super) struct ChangeReader {
    limit: usize,
    cursor: Option<RevocationCursor>,
    known: StandingBounds,
}

impl Default for ChangeReader {
    fn default() -> Self {
        Self::with_pages_of(PAGE)
    }
}

impl ChangeReader {
    /// Returns a reader of pages with at most this number of records.
    pub(super) const fn with_pages_of(limit: usize) -> Self {
        Self {
            limit,
            cursor: None,
            known: StandingBounds::new(),
        }
    }

    /// Reads what has changed, page by page. Returns all records that this reader knows.
    pub(super) async fn read(&mut self, store: &impl RevocationStore) -> Verdict<StandingBounds> {
        for _ in 0..MAX_PAGES {
            if !self.read_page(store).await?.has_more {
                return Ok(self.known.clone());
            }
        }
        Err(format!("a pass is not over after {MAX_PAGES} pages"))
    }

    /// Reads one page.
    pub(super) async fn read_page(
        &mut self,
        store: &impl RevocationStore,
    ) -> Verdict<RevocationChanges> {
        let page = store.changed_since(self.cursor.clone(), self.limit).await;
        let page = page.map_err(|error| failed("changed_since", &error))?;
        ensure!(
            page.revocations.len() <= self.limit,
            "a page of at most {} records has {}",
            self.limit,
            page.revocations.len()
        );
        for revocation in &page.revocations {
            add(&mut self.known, revocation);
        }
        self.cursor = Some(page.cursor.clone());
        Ok(page)
    }

    /// Reads a pass of a store that nobody writes to: no record may come twice.
    pub(super) async fn read_each_once(
        &mut self,
        store: &impl RevocationStore,
    ) -> Verdict<StandingBounds> {
        let mut keys = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let page = self.read_page(store).await?;
            for revocation in &page.revocations {
                ensure!(
                    keys.insert(revocation.key()),
                    "{revocation:?} comes twice in a pass by pages of {}",
                    self.limit
                );
            }
            if !page.has_more {
                return Ok(self.known.clone());
            }
        }
        Err(format!("a pass is not over after {MAX_PAGES} pages"))
    }
}

fn failed(what: &str, error: &RevocationError) -> String {
    format!("{what} failed: {error:?}")
}
