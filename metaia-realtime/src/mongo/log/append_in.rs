//! Appending in a transaction of the embedder.

use std::collections::HashMap;

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, doc},
    error::Error,
};

use super::MongoLog;
use crate::{
    NewEntry, Position,
    log::Entry,
    mongo::{
        bson::{from_event_id, from_number},
        fault::MongoFault,
        head::{HEAD, HeadRecord, HeadVersion, KEY},
        numbering::Numbering,
        row::{ENTRIES, Row},
    },
    values::{EventId, time},
};

impl MongoLog {
    /// Writes entries in your own transaction, on a session of
    /// [`Mongo::client`](crate::mongo::Mongo::client), and returns the positions that they will
    /// have. An entry whose id the log has already is not written again, and its position is
    /// returned. The caller checks the sizes, see [`NewEntry::size`].
    ///
    /// Call it as the last step of the transaction: from this call until the commit no other batch
    /// can be written. After the commit, call [`Realtime::wake`](crate::Realtime::wake).
    ///
    /// # Errors
    /// Returns the driver's error with its labels. After `TransientTransactionError` another batch
    /// was faster: try the whole transaction again. Abort the transaction after any error.
    ///
    /// # Cancel safety
    /// Not cancel safe: run the future to its end, as every future of the driver.
    pub async fn append_in(
        &self,
        session: &mut ClientSession,
        entries: &[NewEntry],
    ) -> Result<Vec<Position>, Error> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let database = self.state.mongo.database();
        let heads: Collection<Document> = database.collection(HEAD);
        let rows: Collection<Row> = database.collection(ENTRIES);
        let head = lock_head(&heads, session).await?;
        let known = known_numbers(&rows, session, entries).await?;
        let mut numbering = Numbering::after(head.version, &known, time::unix_ms());
        let positions = entries.iter().map(|new| numbering.place(new)).collect();
        if numbering.entries.is_empty() {
            return Ok(positions);
        }
        let update = head_update(numbering.end(), &numbering.entries);
        heads
            .update_one(doc! { "_id": KEY }, update)
            .session(&mut *session)
            .await?;
        let new_rows = numbering.entries.iter().map(|entry| Row::from_entry(entry));
        rows.insert_many(new_rows).session(session).await?;
        Ok(positions)
    }
}

/// Reads the head by a write, which keeps other batches out until the transaction ends.
async fn lock_head(
    heads: &Collection<Document>,
    session: &mut ClientSession,
) -> Result<HeadRecord, Error> {
    let next_turn = doc! { "$inc": { "turn": 1_i64 } };
    let found = heads
        .find_one_and_update(doc! { "_id": KEY }, next_turn)
        .session(session)
        .await?;
    let Some(document) = found else {
        return Err(Error::custom(MongoFault::NotReady));
    };
    HeadRecord::read(&document).map_err(Error::custom)
}

/// Returns the update of the head. Its turn was raised when it was locked.
fn head_update(end: HeadVersion, entries: &[std::sync::Arc<Entry>]) -> Document {
    let bytes: i64 = entries
        .iter()
        .map(|entry| entry.content().size() as i64)
        .sum();
    doc! {
        "$set": { "n": from_number(end.n), "id": from_event_id(end.id) },
        "$inc": { "bytes": bytes },
    }
}

/// Reads the numbers of those entries that the log has already.
async fn known_numbers(
    rows: &Collection<Row>,
    session: &mut ClientSession,
    entries: &[NewEntry],
) -> Result<HashMap<EventId, u64>, Error> {
    let ids: Vec<Bson> = entries
        .iter()
        .map(|new| from_event_id(new.id()).into())
        .collect();
    let mut found = rows
        .find(doc! { "id": { "$in": ids } })
        .session(&mut *session)
        .await?;
    let mut known = HashMap::new();
    while let Some(row) = found.next(session).await {
        if let Some((n, id)) = row?.identity() {
            known.insert(id, n);
        }
    }
    Ok(known)
}
