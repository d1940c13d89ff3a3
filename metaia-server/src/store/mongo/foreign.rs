//! What others have left in the collections, and is none of our records.
//!
//! Asked for by itself it is an error, as it is in the embedded store. A list leaves it out: these
//! collections may be shared with other programs, and one bad document of theirs must not shut
//! everybody's list for ever. Nobody's position or answer depends on a list being whole. It is said
//! once of each document, for the first thousand of them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use mongodb::bson::{Bson, Document};

use super::document::{Unreadable, hex};
use crate::{
    model::{Cursor, NotificationId, Page, Timestamp},
    store::StoreError,
};

/// Of so many documents it is said.
const NAMED: usize = 1_000;

/// Which documents have been named in the log. A handle.
#[derive(Debug, Clone, Default)]
pub(super) struct Foreign(Arc<Mutex<HashSet<(&'static str, String)>>>);

impl Foreign {
    /// A page of `limit` out of what was found when asked for one more than that. It ends where the
    /// documents do, also where the last of them is left out.
    pub(super) fn page<T>(
        &self,
        mut found: Vec<Document>,
        limit: u16,
        read: fn(&Document) -> Result<T, Unreadable>,
    ) -> Result<Page<T>, StoreError> {
        let more = found.len() > usize::from(limit);
        found.truncate(limit.into());
        let next = found.last().filter(|_| more).map(after).transpose()?;
        let items = found
            .iter()
            .filter_map(|document| read(document).map_err(|error| self.name(&error)).ok());
        Ok(Page {
            items: items.collect(),
            next,
        })
    }

    fn name(&self, error: &Unreadable) {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < NAMED && named.insert((error.collection, error.id.clone())) {
            drop(named);
            tracing::warn!(
                collection = error.collection,
                id = error.id,
                "left out of lists: {error}"
            );
        }
    }
}

/// The cursor after a document of a list: its filter let only such through that have one.
fn after(document: &Document) -> Result<Cursor, StoreError> {
    let at = document
        .get("createdAt")
        .and_then(Bson::as_datetime)
        .map(|at| at.timestamp_millis());
    let at = at
        .and_then(Timestamp::from_ms)
        .zip(hex::<NotificationId>(document));
    let cursor = at.and_then(|(at, id)| Cursor::after(at, &id.to_string()).ok());
    cursor.ok_or_else(|| StoreError::Corrupt("a document of a list has no place in it".into()))
}
