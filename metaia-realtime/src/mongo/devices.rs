//! Where clients are that show no position, for many nodes.
//!
//! Each record says which node keeps it. A node that meets a client it does not know takes its record over; from then on
//!
//! - of a device, which is one phone, what the node before still saves is dropped: the phone is elsewhere;
//! - of a token, which several phones may share, each node that has one of them keeps a record of its own, and whoever
//!   takes them over goes on from the smallest position.
//!
//! So a client may be given something once more, and nothing is kept from it.

use std::{collections::BTreeSet, sync::Arc};

use mongodb::{
    Collection, Database,
    bson::{Bson, Document, doc},
    error::Error,
    options::{FindOptions, WriteConcern},
};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    Deployment, Mongo,
    fault::Fault,
    handle::PATIENCE,
    log::{
        head::{of_uuid, uuid},
        prepare::index,
        read,
    },
};
use crate::{
    Epoch, OrderId, Position, clock,
    device::{DeviceKey, DeviceRecord, DeviceStore, LIFE_MS, RECORDS_PER_USER},
    log::LogError,
};

const DEVICES: &str = "rt_device";

/// The most connections that one record stands for.
const CONNECTIONS: u32 = 16;

/// Tries of taking over what somebody else writes.
const TRIES: usize = 20;

/// Records of clients that may come back, beside the log that their positions are in.
///
/// A handle: clones are the same node to others. Make one for each node.
#[derive(Debug, Clone)]
pub struct MongoDevices {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mongo: Mongo,
    me: Uuid,
    /// One save after the other. Whether the indexes are there.
    saving: Mutex<bool>,
}

/// A record, and the node that keeps it.
#[derive(Debug, Clone, PartialEq)]
struct Slot {
    by: Uuid,
    record: DeviceRecord,
}

impl MongoDevices {
    /// The records in a database. It is not asked for anything yet.
    #[must_use]
    pub fn new(mongo: &Mongo) -> Self {
        let inner = Inner { mongo: mongo.clone(), me: Uuid::new_v4(), saving: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    fn devices(&self, deployment: Deployment) -> Collection<Document> {
        read::of(&self.inner.mongo, DEVICES, Mongo::reading(deployment))
    }

    async fn find(&self, key: &DeviceKey) -> Result<Option<DeviceRecord>, Fault> {
        let oldest = clock::unix_ms() - LIFE_MS;
        for _ in 0..TRIES {
            let Some(found) = self.stored(key).await? else { return Ok(None) };
            let before = found.get("slots").cloned().unwrap_or(Bson::Null);
            let slots = slots(&found)?;
            let fresh = slots.iter().map(|slot| &slot.record).filter(|record| record.at > oldest);
            let Some(record) = fresh.cloned().reduce(both) else { return Ok(None) };
            let mine = slots.iter().all(|slot| slot.by == self.inner.me);
            if mine || self.take_over(key, before, &record).await? {
                return Ok(Some(record));
            }
        }
        Err(Fault::Late)
    }

    async fn stored(&self, key: &DeviceKey) -> Result<Option<Document>, Fault> {
        let devices = self.devices(self.inner.mongo.deployed().await?);
        let filter = doc! { "_id": key.as_str() };
        let found = async move { devices.find_one(filter).max_time(PATIENCE).await };
        self.inner.mongo.run(PATIENCE, found).await
    }

    /// `false`: somebody has saved meanwhile.
    async fn take_over(&self, key: &DeviceKey, before: Bson, record: &DeviceRecord) -> Result<bool, Fault> {
        let deployment = self.inner.mongo.deployed().await?;
        let devices = self.devices(deployment);
        let filter = doc! { "_id": key.as_str(), "slots": before };
        let set = doc! { "$set": { "slots": [self.slot(record)], "at": record.at } };
        let concern = Mongo::writing(deployment);
        let taken = async move { devices.update_one(filter, set).write_concern(concern).await };
        Ok(self.inner.mongo.run(PATIENCE, taken).await?.matched_count == 1)
    }

    fn slot(&self, record: &DeviceRecord) -> Document {
        let orders: Vec<&str> = record.orders.iter().map(OrderId::as_str).collect();
        doc! {
            "by": of_uuid(self.inner.me),
            "position": record.position.to_string(),
            "orders": orders.join(" "),
            "connections": i64::from(record.connections),
            "at": record.at,
        }
    }

    /// One statement of a save.
    fn statement(&self, key: &DeviceKey, record: &DeviceRecord) -> Document {
        let (me, mine) = (of_uuid(self.inner.me), doc! { "$literal": self.slot(record) });
        let before = doc! { "$ifNull": ["$slots", []] };
        let others =
            doc! { "$filter": { "input": before.clone(), "cond": { "$ne": ["$$this.by", me.clone()] } } };
        let slots = if key.is_of_device() {
            let by = doc! { "$map": { "input": before.clone(), "in": "$$this.by" } };
            let free = doc! { "$or": [{ "$eq": [before, []] }, { "$in": [me, by] }] };
            doc! { "$cond": [free, [mine], "$slots"] }
        } else {
            doc! { "$concatArrays": [others, [mine]] }
        };
        let at = doc! { "$max": "$slots.at" };
        let update = [doc! { "$set": { "slots": slots } }, doc! { "$set": { "at": at } }];
        doc! { "q": { "_id": key.as_str() }, "u": &update[..], "upsert": true }
    }

    async fn keep(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), Fault> {
        if records.is_empty() {
            return Ok(());
        }
        let mongo = &self.inner.mongo;
        let mut indexed = self.inner.saving.lock().await;
        if !*indexed {
            index(mongo, DEVICES, doc! { "at": 1 }, false).await?;
            *indexed = true;
        }
        let updates: Vec<Document> =
            records.iter().map(|(key, record)| self.statement(key, record)).collect();
        let users: Vec<_> = records.iter().map(|(key, _)| key.of_same_user()).collect();
        let (database, concern) = (mongo.database().clone(), Mongo::writing(mongo.deployed().await?));
        mongo.run(PATIENCE, async move { save(&database, &updates, &users, &concern).await }).await
    }
}

impl DeviceStore for MongoDevices {
    /// A record that cannot be read is answered [`LogError::Unavailable`].
    async fn load(&self, key: &DeviceKey) -> Result<Option<DeviceRecord>, LogError> {
        self.find(key).await.map_err(Fault::unavailable)
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), LogError> {
        self.keep(records).await.map_err(Fault::unknown)
    }
}

/// Saves, and forgets what is too old, or too many of one user. No transaction: records are of one client each, and what a
/// killed node had locked could not be taken over.
async fn save(
    database: &Database,
    updates: &[Document],
    users: &[(String, String)],
    concern: &WriteConcern,
) -> Result<(), Error> {
    let update = doc! { "update": DEVICES, "updates": updates, "ordered": false };
    let answer = run(database, update, concern).await?;
    let mut gone = vec![doc! { "q": { "at": { "$lte": clock::unix_ms() - LIFE_MS } }, "limit": 0 }];
    // Only who has one more than before can have too many.
    let new = answer.get_array("upserted").map(Vec::as_slice).unwrap_or_default();
    let new = new.iter().filter_map(|new| new.as_document()?.get_i32("index").ok());
    let grown: BTreeSet<_> = new.filter_map(|at| users.get(usize::try_from(at).ok()?)).collect();
    for (from, to) in grown {
        let beyond = beyond(database, from, to).await?;
        if !beyond.is_empty() {
            gone.push(doc! { "q": { "_id": { "$in": beyond } }, "limit": 0 });
        }
    }
    run(database, doc! { "delete": DEVICES, "deletes": gone }, concern).await.map(drop)
}

/// The keys of those records of a user that are too many.
async fn beyond(database: &Database, from: &str, to: &str) -> Result<Vec<Bson>, Error> {
    let devices: Collection<Document> = database.collection(DEVICES);
    let options = FindOptions::builder().sort(doc! { "at": -1 }).skip(RECORDS_PER_USER as u64);
    let options = options.projection(doc! { "_id": 1 }).build();
    let mut found = devices.find(doc! { "_id": { "$gt": from, "$lt": to } }).with_options(options).await?;
    let mut keys = Vec::new();
    while found.advance().await? {
        keys.extend(found.deserialize_current()?.get("_id").cloned());
    }
    Ok(keys)
}

async fn run(database: &Database, mut command: Document, concern: &WriteConcern) -> Result<Document, Error> {
    command.insert("writeConcern", mongodb::bson::serialize_to_bson(concern).map_err(Error::custom)?);
    let answer = database.run_command(command).await?;
    let whole = !answer.contains_key("writeErrors") && !answer.contains_key("writeConcernError");
    if whole { Ok(answer) } else { Err(Error::custom("records of clients were not all saved")) }
}

fn slots(found: &Document) -> Result<Vec<Slot>, Fault> {
    let read = |slot: &Bson| {
        let slot = slot.as_document()?;
        let orders = slot.get_str("orders").ok()?.split_ascii_whitespace();
        let record = DeviceRecord {
            position: slot.get_str("position").ok()?.parse().ok()?,
            orders: orders.map(|order| order.parse().ok()).collect::<Option<_>>()?,
            connections: u32::try_from(slot.get_i64("connections").ok()?).ok()?,
            at: slot.get_i64("at").ok()?,
        };
        Some(Slot { by: uuid(slot.get("by")?)?, record })
    };
    let slots = found.get_array("slots").ok().and_then(|slots| slots.iter().map(read).collect());
    slots.ok_or(Fault::Damaged("the record of a client"))
}

/// Of an epoch that never was: whoever goes on from there is told to reload.
fn nowhere() -> Position {
    Position::start(Epoch::random())
}

/// What both nodes know of one client. Of two histories nobody here can say which is the log's.
fn both(one: DeviceRecord, other: DeviceRecord) -> DeviceRecord {
    let same = one.position.epoch() == other.position.epoch();
    let (first, second) = if one.position.n() <= other.position.n() { (one, other) } else { (other, one) };
    let orders: BTreeSet<OrderId> = first.orders.into_iter().chain(second.orders).collect();
    DeviceRecord {
        position: if same { first.position } else { nowhere() },
        orders: orders.into_iter().collect(),
        connections: first.connections.saturating_add(second.connections).min(CONNECTIONS),
        at: first.at.max(second.at),
    }
}
