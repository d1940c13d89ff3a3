//! Calls of a store, with errors as sentences; and a reader that goes from cursor to cursor.

use std::collections::BTreeMap;

use crate::{
    revocation::{Revocation, RevocationCursor, RevocationError, RevocationStore},
    testing::contract::{Verdict, equal},
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

/// A node that reads the changes of a store.
#[derive(Default)]
pub(super) struct ChangeReader {
    cursor: Option<RevocationCursor>,
    known: StandingBounds,
}

impl ChangeReader {
    /// Reads what has changed. Returns all records that this reader knows.
    pub(super) async fn read(&mut self, store: &impl RevocationStore) -> Verdict<StandingBounds> {
        let changes = store.changed_since(self.cursor.clone()).await;
        let changes = changes.map_err(|error| failed("changed_since", &error))?;
        for revocation in &changes.revocations {
            add(&mut self.known, revocation);
        }
        self.cursor = Some(changes.cursor);
        Ok(self.known.clone())
    }
}

fn failed(what: &str, error: &RevocationError) -> String {
    format!("{what} failed: {error:?}")
}
