//! Appending in a transaction of the embedder's.

use std::collections::HashMap;

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, doc},
    error::Error,
};

use super::MongoLog;
use crate::{
    EventId, NewEntry, Position,
    mongo::{
        commit::Numbering,
        fault::Fault,
        head::{HEAD, HeadRecord, KEY, binary},
        row::{ENTRIES, Row},
    },
    values::time,
};

impl MongoLog {
    /// Writes entries in a transaction of yours, on a session of
    /// [`Mongo::client`](crate::mongo::Mongo::client), and says where they will be. Those whose id
    /// the log has are answered with the position they have. Sizes are for the caller to check, see
    /// [`NewEntry::size`].
    ///
    /// Call it last in the transaction: from here on until the commit no other batch is written.
    /// Once it is committed, call [`Realtime::wake`](crate::Realtime::wake).
    ///
    /// # Errors
    /// The driver's, with its labels: another batch came between (`TransientTransactionError`), and
    /// the whole transaction is to be tried again. It must be aborted.
    ///
    /// # Cancel safety
    /// Not cancel safe: the driver's futures are to be run to their end.
    pub async fn append_in(
        &self,
        session: &mut ClientSession,
        entries: &[NewEntry],
    ) -> Result<Vec<Position>, Error> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let database = self.shared.mongo.database();
        let heads: Collection<Document> = database.collection(HEAD);
        // Written before it is read, so that nobody comes between.
        let turn = doc! { "$inc": { "turn": 1_i64 } };
        let found = heads
            .find_one_and_update(doc! { "_id": KEY }, turn)
            .session(&mut *session)
            .await?;
        let head = found
            .as_ref()
            .map_or(Err(Fault::NotReady), HeadRecord::read)
            .map_err(Error::custom)?;
        let rows: Collection<Row> = database.collection(ENTRIES);
        let known = known(&rows, session, entries).await?;
        let mut numbering = Numbering::after(head.standing, &known, time::unix_ms());
        let positions = entries.iter().map(|new| numbering.place(new)).collect();
        let (end, fresh) = (numbering.end(), numbering.entries);
        if fresh.is_empty() {
            return Ok(positions);
        }
        let bytes: i64 = fresh
            .iter()
            .map(|entry| entry.content().size() as i64)
            .sum();
        let grown = doc! {
            "$set": { "n": end.n.cast_signed(), "id": binary(end.id) },
            "$inc": { "bytes": bytes },
        };
        heads
            .update_one(doc! { "_id": KEY }, grown)
            .session(&mut *session)
            .await?;
        rows.insert_many(fresh.iter().map(|entry| Row::of(entry)))
            .session(session)
            .await?;
        Ok(positions)
    }
}

async fn known(
    rows: &Collection<Row>,
    session: &mut ClientSession,
    entries: &[NewEntry],
) -> Result<HashMap<EventId, u64>, Error> {
    let ids: Vec<Bson> = entries.iter().map(|new| binary(new.id()).into()).collect();
    let mut found = rows
        .find(doc! { "id": { "$in": ids } })
        .session(&mut *session)
        .await?;
    let mut known = HashMap::new();
    while let Some(row) = found.next(session).await {
        known.extend(row?.identity().map(|(n, id)| (id, n)));
    }
    Ok(known)
}
