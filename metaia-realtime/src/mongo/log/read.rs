//! Reads of the log. Each is one operation on the primary, and sees only what cannot be rolled
//! back.

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, doc},
    options::{FindOptions, ReadConcern},
};

use crate::{
    Room,
    mongo::{
        Mongo,
        bson::from_number,
        collection,
        fault::MongoFault,
        head::{HEAD, HeadRecord, KEY},
        options::OPERATION_TIMEOUT,
        row::{ENTRIES, Row},
    },
    values::EventId,
};

/// The collection of the rooms' trimmed marks.
pub(super) const MARKS: &str = "rt_trimmed";

/// Documents per reply of the server.
const BATCH_SIZE: u32 = 512;

/// A range of entries.
#[derive(Debug, Clone, Default)]
pub(super) struct EntryQuery {
    /// The number before the first.
    pub(super) after: u64,
    /// The last number.
    pub(super) upto: u64,
    /// Selects entries in any of these rooms; `None` selects all.
    pub(super) rooms: Option<Vec<Room>>,
    /// The most entries.
    pub(super) limit: usize,
}

impl EntryQuery {
    fn filter(&self) -> Document {
        let range = doc! { "$gt": from_number(self.after), "$lte": from_number(self.upto) };
        let mut filter = doc! { "_id": range };
        if let Some(rooms) = &self.rooms {
            let rooms: Vec<String> = rooms.iter().map(ToString::to_string).collect();
            filter.insert("rooms", doc! { "$in": rooms });
        }
        filter
    }

    /// Returns true if no entry can match. A limit of 0 must not reach the server, which takes it
    /// for no limit.
    fn is_empty(&self) -> bool {
        let has_no_room = self.rooms.as_ref().is_some_and(Vec::is_empty);
        self.after >= self.upto || self.limit == 0 || has_no_room
    }

    /// Returns the limit for the server; 0 means no limit.
    fn server_limit(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(0)
    }
}

/// Reads the head; `None` if there is none.
pub(super) async fn head(
    mongo: &Mongo,
    concern: ReadConcern,
) -> Result<Option<HeadRecord>, MongoFault> {
    let heads: Collection<Document> = collection::on_primary(mongo, HEAD, Some(concern));
    let work = async move {
        heads
            .find_one(doc! { "_id": KEY })
            .max_time(OPERATION_TIMEOUT)
            .await
    };
    match mongo.run(OPERATION_TIMEOUT, work).await? {
        Some(document) => HeadRecord::read(&document).map(Some),
        None => Ok(None),
    }
}

/// Reads entries in the order of their numbers.
pub(super) async fn entries(mongo: &Mongo, query: EntryQuery) -> Result<Vec<Row>, MongoFault> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let rows = collection::durable(mongo, ENTRIES).await?;
    let options = FindOptions::builder()
        .sort(doc! { "_id": 1 })
        .limit(query.server_limit())
        .build();
    collection::find(mongo, rows, query.filter(), options).await
}

/// Reads the last entries of a range, the last one first: at most `limit` of the query and about
/// `bytes`, but always one if there is one.
pub(super) async fn last_entries(
    mongo: &Mongo,
    query: EntryQuery,
    bytes: usize,
) -> Result<Vec<Row>, MongoFault> {
    let rows: Collection<Row> = collection::durable(mongo, ENTRIES).await?;
    let options = FindOptions::builder()
        .sort(doc! { "_id": -1 })
        .limit(query.server_limit())
        .batch_size(BATCH_SIZE)
        .max_time(OPERATION_TIMEOUT)
        .build();
    let work = async move {
        let mut found = rows.find(query.filter()).with_options(options).await?;
        let mut last = Vec::new();
        let mut size = 0;
        while let Some(row) = found.try_next().await? {
            size += row.size();
            if size > bytes && !last.is_empty() {
                break;
            }
            last.push(row);
        }
        Ok::<_, MongoFault>(last)
    };
    mongo.run(OPERATION_TIMEOUT, work).await
}

/// Reads the number and the id of the last entry that is stored, wherever the head is.
pub(super) async fn last_identity(mongo: &Mongo) -> Result<Option<(u64, EventId)>, MongoFault> {
    let everything = EntryQuery {
        after: 0,
        upto: u64::MAX,
        rooms: None,
        limit: 1,
    };
    let last = last_entries(mongo, everything, 0).await?;
    Ok(last.first().and_then(Row::identity))
}

/// Counts entries, up to the limit of the query.
pub(super) async fn count(mongo: &Mongo, query: EntryQuery) -> Result<usize, MongoFault> {
    if query.is_empty() {
        return Ok(0);
    }
    let entries: Collection<Row> = collection::durable(mongo, ENTRIES).await?;
    let work = async move {
        let counted = entries
            .count_documents(query.filter())
            .max_time(OPERATION_TIMEOUT);
        match u64::try_from(query.server_limit()) {
            Ok(0) | Err(_) => counted.await,
            Ok(limit) => counted.limit(limit).await,
        }
    };
    let counted = mongo.run(OPERATION_TIMEOUT, work).await?;
    Ok(usize::try_from(counted).unwrap_or(usize::MAX))
}

/// Reads the trimmed marks above `n`.
///
/// # Errors
/// Returns [`MongoFault::Damaged`] if one of them cannot be read.
pub(super) async fn marks(mongo: &Mongo, n: u64) -> Result<Vec<(Room, u64)>, MongoFault> {
    let filter = doc! { "n": { "$gt": from_number(n) } };
    let marks = collection::durable(mongo, MARKS).await?;
    let found = collection::find(mongo, marks, filter, FindOptions::default()).await?;
    found
        .iter()
        .map(|mark| parse_mark(mark).ok_or(MongoFault::Damaged("a trimmed mark of a room")))
        .collect()
}

fn parse_mark(mark: &Document) -> Option<(Room, u64)> {
    let room = mark.get_str("_id").ok()?.parse().ok()?;
    let n = u64::try_from(mark.get_i64("n").ok()?).ok()?;
    Some((room, n))
}
