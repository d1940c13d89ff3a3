//! Documents of other programs in our collections that are no records of ours.
//!
//! A read of one such document by its id fails, as in the embedded store. A list leaves it out: the
//! collections may be shared with other programs, and one bad document must not break every list
//! that contains it. No position and no reply depends on a complete list. Each document is logged
//! once, for the first 1,000 documents (`MAX_LOGGED`).

use std::{collections::HashSet, sync::Arc};

use mongodb::bson::{Bson, Document};
use parking_lot::Mutex;

use super::document::{Unreadable, id_in};
use crate::{
    model::{Cursor, NotificationId, Page, Timestamp},
    store::StoreError,
};

/// The number of documents that are logged.
const MAX_LOGGED: usize = 1_000;

/// The documents that have been logged, by collection and id. A handle.
#[derive(Debug, Clone, Default)]
pub(super) struct ForeignDocuments(Arc<Mutex<HashSet<(&'static str, String)>>>);

impl ForeignDocuments {
    /// Returns a page of up to `limit` records out of up to `limit + 1` documents. The cursor
    /// follows the last of the first `limit` documents, even if that document is left out.
    pub(super) fn page<T>(
        &self,
        mut found: Vec<Document>,
        limit: u16,
        read: fn(&Document) -> Result<T, Unreadable>,
    ) -> Result<Page<T>, StoreError> {
        let more = found.len() > usize::from(limit);
        found.truncate(limit.into());
        let next = match found.last() {
            Some(last) if more => Some(cursor_after(last)?),
            _ => None,
        };
        let mut items = Vec::with_capacity(found.len());
        for document in &found {
            match read(document) {
                Ok(item) => items.push(item),
                Err(error) => self.log_once(&error),
            }
        }
        Ok(Page { items, next })
    }

    fn log_once(&self, error: &Unreadable) {
        let is_new = {
            let mut logged = self.0.lock();
            logged.len() < MAX_LOGGED && logged.insert((error.collection, error.id.clone()))
        };
        if is_new {
            tracing::warn!(
                collection = error.collection,
                id = error.id,
                "left out of lists: {error}"
            );
        }
    }
}

/// Returns the cursor after a document of a list. The filter of lists admits only documents that
/// have one.
fn cursor_after(document: &Document) -> Result<Cursor, StoreError> {
    try_cursor_after(document)
        .ok_or_else(|| StoreError::Corrupt("a document of a list has no valid id and time".into()))
}

fn try_cursor_after(document: &Document) -> Option<Cursor> {
    let at = document.get("createdAt").and_then(Bson::as_datetime)?;
    let at = Timestamp::from_ms(at.timestamp_millis())?;
    // Cursors are the same for all records; any id of 24 hex digits will do.
    let id: NotificationId = id_in(document)?;
    Cursor::after(at, &id.to_string()).ok()
}
