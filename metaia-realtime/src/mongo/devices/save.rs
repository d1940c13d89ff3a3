//! Saves: three commands for a batch of records, whatever its size.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use mongodb::{
    Database,
    bson::{Bson, Document, doc},
    error::Error,
    options::WriteConcern,
};

use super::{DEVICES, MongoDevices, document::Slot};
use crate::{
    device::{DeviceKey, DeviceRecord, LIFE_MS, RECORDS_PER_USER},
    mongo::{
        collection::{self, create_index},
        fault::MongoFault,
        options::OPERATION_TIMEOUT,
    },
    values::{NodeId, time},
};

/// The owner in the document of a device. A node of version 79f6e03 takes a device for one phone,
/// and the node that it connected to last for its owner. It saves no position of a device whose
/// owner it is not.
const NO_OWNER: &str = "several";

/// The most records of one user that one save removes. The next saves remove the others.
const MAX_REMOVED_PER_USER: i32 = 1_000;

impl MongoDevices {
    pub(super) async fn try_save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
        is_connected: bool,
    ) -> Result<(), MongoFault> {
        if records.is_empty() {
            return Ok(());
        }
        let mongo = &self.inner.mongo;
        let _one_save_at_a_time = self.inner.saving.lock().await;
        self.create_indexes().await?;
        let taken_in = self.stamps_taken_in(records.iter().map(|(key, _)| key));
        let node = self.node();
        let mut updates = Vec::with_capacity(records.len());
        let mut users = BTreeSet::new();
        for ((key, record), (_, stamps)) in records.iter().zip(&taken_in) {
            let slot = Slot::document(node, record, is_connected);
            let mut set = doc! { "slots": with_slot("slots", node, &slot, stamps) };
            if matches!(key, DeviceKey::Device { .. }) {
                set.insert("copies", with_slot("copies", node, &slot, stamps));
                set.insert("owner", NO_OWNER);
            }
            updates.push(upsert(key, set));
            users.insert(key.user().to_string());
        }
        let database = mongo.database().clone();
        let concern = mongo.known_deployment().await?.write_concern();
        let work = async move { write(&database, &updates, users, &concern).await };
        mongo.run(OPERATION_TIMEOUT, work).await?;
        self.forget_taken_in(taken_in);
        Ok(())
    }

    async fn create_indexes(&self) -> Result<(), MongoFault> {
        if self.has_indexes() {
            return Ok(());
        }
        let mongo = &self.inner.mongo;
        create_index(mongo, DEVICES, doc! { "at": 1 }, false).await?;
        create_index(mongo, DEVICES, doc! { "user": 1, "at": -1 }, false).await?;
        self.inner.has_indexes.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Returns the slots of an array of the document, with this one in the place of the node's previous
/// one and of those that it has taken in, if they are unchanged.
fn with_slot(array: &str, node: NodeId, slot: &Document, taken_in: &[Bson]) -> Document {
    let before = format!("${array}");
    // None if the document is new or damaged.
    let before = doc! { "$cond": [{ "$isArray": &before }, &before, []] };
    let is_of_other_node = doc! { "$ne": ["$$this.by", node.to_string()] };
    let stamp = doc! { "$ifNull": ["$$this.stamp", null] };
    let is_taken_in = doc! { "$in": [stamp, { "$literal": taken_in }] };
    let stays = doc! { "$and": [is_of_other_node, { "$not": [is_taken_in] }] };
    let others = doc! { "$filter": { "input": before, "cond": stays } };
    doc! { "$concatArrays": [others, [slot]] }
}

/// Returns the statement that writes these fields.
fn upsert(key: &DeviceKey, fields: Document) -> Document {
    let mut set = doc! { "user": { "$literal": key.user().as_str() } };
    set.extend(fields);
    let update = [
        doc! { "$set": set },
        doc! { "$set": { "at": { "$max": "$slots.at" } } },
    ];
    doc! { "q": { "_id": key.to_string() }, "u": &update[..], "upsert": true }
}

/// Writes records, and removes those that are too old or too many of one user. There is no
/// transaction: each record is of one client, and what a killed node had locked could not be read.
async fn write(
    database: &Database,
    updates: &[Document],
    users: BTreeSet<String>,
    concern: &WriteConcern,
) -> Result<(), Error> {
    let update = doc! { "update": DEVICES, "updates": updates, "ordered": false };
    run(database, update, concern).await?;
    let expired = doc! { "at": { "$lte": time::unix_ms() - LIFE_MS } };
    let mut deletes = vec![doc! { "q": expired, "limit": 0 }];
    let surplus = surplus_keys(database, users).await?;
    if !surplus.is_empty() {
        deletes.push(doc! { "q": { "_id": { "$in": surplus } }, "limit": 0 });
    }
    let delete = doc! { "delete": DEVICES, "deletes": deletes };
    run(database, delete, concern).await
}

/// Returns the keys of the records beyond `RECORDS_PER_USER`, the newest ones not counted.
async fn surplus_keys(database: &Database, users: BTreeSet<String>) -> Result<Vec<Bson>, Error> {
    let kept = i32::try_from(RECORDS_PER_USER).unwrap_or(i32::MAX);
    let users: Vec<String> = users.into_iter().collect();
    let has_surplus = doc! { (format!("keys.{kept}")): { "$exists": true } };
    let stages = [
        doc! { "$match": { "user": { "$in": users } } },
        doc! { "$sort": { "user": 1, "at": -1 } },
        doc! { "$group": { "_id": "$user", "keys": { "$push": "$_id" } } },
        doc! { "$match": has_surplus },
        doc! { "$project": { "keys": { "$slice": ["$keys", kept, MAX_REMOVED_PER_USER] } } },
    ];
    let mut found = database
        .collection::<Document>(DEVICES)
        .aggregate(stages)
        .max_time(OPERATION_TIMEOUT)
        .await?;
    let mut surplus = Vec::new();
    while found.advance().await? {
        let user = found.deserialize_current()?;
        if let Ok(keys) = user.get_array("keys") {
            surplus.extend(keys.iter().cloned());
        }
    }
    Ok(surplus)
}

async fn run(
    database: &Database,
    mut command: Document,
    concern: &WriteConcern,
) -> Result<(), Error> {
    let concern = mongodb::bson::serialize_to_bson(concern).map_err(Error::custom)?;
    command.insert("writeConcern", concern);
    let reply = database.run_command(command).await?;
    if !collection::is_complete(&reply) {
        return Err(Error::custom("some records of clients were not saved"));
    }
    Ok(())
}
