//! What is asked of the database. Each is one operation on the primary, of what a majority has.

use std::{collections::HashMap, sync::Arc};

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Bson, Document, doc},
    options::{CollectionOptions, FindOptions, ReadConcern, ReadPreference, SelectionCriteria},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    EventId, Room,
    mongo::{
        Mongo,
        fault::Fault,
        handle::PATIENCE,
        head::{HEAD, HeadRecord, KEY, binary},
        row::{ENTRIES, Row},
    },
};

/// The collection of the rooms' trimmed marks.
pub(in crate::mongo) const MARKS: &str = "rt_trimmed";

/// Documents per answer of the server.
const PAGE: u32 = 512;

/// Which entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Those after this.
    pub(super) after: u64,
    /// Those up to and with this.
    pub(super) upto: u64,
    /// Those in any of these rooms, or all.
    pub(super) rooms: Option<Vec<Room>>,
    pub(super) limit: usize,
}

impl Wanted {
    fn filter(&self) -> Document {
        let mut filter = doc! { "_id": { "$gt": signed(self.after), "$lte": signed(self.upto) } };
        if let Some(rooms) = &self.rooms {
            let rooms: Vec<String> = rooms.iter().map(ToString::to_string).collect();
            filter.insert("rooms", doc! { "$in": rooms });
        }
        filter
    }

    fn is_nothing(&self) -> bool {
        self.after >= self.upto || self.limit == 0 || self.rooms.as_ref().is_some_and(Vec::is_empty)
    }

    /// The server takes 0 for no bound.
    fn bound(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(0)
    }
}

/// The head, or `None` where there is none.
pub(super) async fn head(mongo: &Mongo, concern: ReadConcern) -> Result<Option<HeadRecord>, Fault> {
    let heads: Collection<Document> = of(mongo, HEAD, concern);
    let found = mongo.run(PATIENCE, async move {
        heads.find_one(doc! { "_id": KEY }).max_time(PATIENCE).await
    });
    found
        .await?
        .map(|document| HeadRecord::read(&document))
        .transpose()
}

/// Entries in order.
pub(super) async fn entries(mongo: &Mongo, wanted: Wanted) -> Result<Vec<Row>, Fault> {
    if wanted.is_nothing() {
        return Ok(Vec::new());
    }
    let options = FindOptions::builder()
        .sort(doc! { "_id": 1 })
        .limit(wanted.bound())
        .build();
    find(mongo, ENTRIES, wanted.filter(), options).await
}

/// The last entries, up to `limit` and about so many bytes, the last first.
pub(super) async fn last_entries(
    mongo: &Mongo,
    wanted: Wanted,
    bytes: usize,
) -> Result<Vec<Row>, Fault> {
    let rows: Collection<Row> = of(mongo, ENTRIES, Mongo::reading(mongo.deployed().await?));
    let work = async move {
        let options = FindOptions::builder()
            .sort(doc! { "_id": -1 })
            .limit(wanted.bound())
            .batch_size(PAGE);
        let options = options.max_time(PATIENCE).build();
        let mut found = rows.find(wanted.filter()).with_options(options).await?;
        let (mut last, mut size) = (Vec::new(), 0);
        while let Some(row) = found.try_next().await? {
            size += row.size();
            if size > bytes && !last.is_empty() {
                break;
            }
            last.push(row);
        }
        Ok::<_, Fault>(last)
    };
    mongo.run(PATIENCE, work).await
}

/// How many entries there are, counted up to the limit.
pub(super) async fn count(mongo: &Mongo, wanted: Wanted) -> Result<usize, Fault> {
    if wanted.is_nothing() {
        return Ok(0);
    }
    let entries: Collection<Row> = of(mongo, ENTRIES, Mongo::reading(mongo.deployed().await?));
    let work = async move {
        let counted = entries.count_documents(wanted.filter()).max_time(PATIENCE);
        // A bound of 0 is no bound, which is what a limit beyond all numbers means.
        match u64::try_from(wanted.bound()) {
            Ok(0) | Err(_) => counted.await,
            Ok(limit) => counted.limit(limit).await,
        }
    };
    Ok(usize::try_from(mongo.run(PATIENCE, work).await?).unwrap_or(usize::MAX))
}

/// Where entries are that the log has.
pub(in crate::mongo) async fn known(
    mongo: &Mongo,
    ids: impl IntoIterator<Item = EventId>,
) -> Result<HashMap<EventId, u64>, Fault> {
    let ids: Vec<Bson> = ids.into_iter().map(|id| binary(id).into()).collect();
    let rows: Vec<Row> = find(
        mongo,
        ENTRIES,
        doc! { "id": { "$in": ids } },
        FindOptions::default(),
    )
    .await?;
    Ok(rows
        .iter()
        .filter_map(Row::identity)
        .map(|(n, id)| (id, n))
        .collect())
}

/// The marks above `n`, of those rooms whose names can be read.
pub(super) async fn marks(mongo: &Mongo, n: u64) -> Result<Vec<(Room, u64)>, Fault> {
    let filter = doc! { "n": { "$gt": signed(n) } };
    let marks: Vec<Document> = find(mongo, MARKS, filter, FindOptions::default()).await?;
    let read = |mark: &Document| {
        let room = mark.get_str("_id").ok()?.parse().ok()?;
        Some((room, u64::try_from(mark.get_i64("n").ok()?).ok()?))
    };
    marks
        .iter()
        .map(|mark| read(mark).ok_or(Fault::Damaged("what was trimmed of a room")))
        .collect()
}

async fn find<T>(
    mongo: &Mongo,
    name: &str,
    filter: Document,
    options: FindOptions,
) -> Result<Vec<T>, Fault>
where
    T: DeserializeOwned + Serialize + Send + Sync + Unpin + 'static,
{
    let rows: Collection<T> = of(mongo, name, Mongo::reading(mongo.deployed().await?));
    let mut options = options;
    options.max_time = Some(PATIENCE);
    options.batch_size.get_or_insert(PAGE);
    let work = async move {
        rows.find(filter)
            .with_options(options)
            .await?
            .try_collect::<Vec<T>>()
            .await
    };
    mongo.run(PATIENCE, work).await
}

/// A collection, read on the primary.
pub(in crate::mongo) fn of<T: Send + Sync>(
    mongo: &Mongo,
    name: &str,
    concern: ReadConcern,
) -> Collection<T> {
    let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
    let options = CollectionOptions::builder()
        .read_concern(concern)
        .selection_criteria(primary)
        .build();
    mongo.database().collection_with_options(name, options)
}

/// As a document holds it, or as the nearest that it can hold: no entry has a number beyond 2⁵³.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Rows as entries, up to the first that is not as it was written or is missing; `from` is the
/// number before the first.
pub(super) fn sound(
    rows: Vec<Row>,
    epoch: crate::values::Epoch,
    from: u64,
) -> (Vec<Arc<crate::log::Entry>>, Option<u64>) {
    let (mut entries, mut last, mut damaged) = (Vec::with_capacity(rows.len()), from, None);
    for row in rows {
        let n = row.identity().map_or(last + 1, |(n, _)| n);
        if n != last + 1 {
            damaged = Some(n - 1);
        }
        match row.entry(epoch) {
            Ok(entry) => entries.push(entry),
            Err(_) => damaged = Some(n),
        }
        last = n;
    }
    // What is before the damage is not handed out behind it.
    entries.retain(|entry| damaged.is_none_or(|upto| entry.n() > upto));
    (entries, damaged)
}
