//! Saving: three commands for a batch, whatever is in it.

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
    mongo::{Mongo, fault::Fault, handle::PATIENCE, log::prepare::index},
    values::time,
};

/// Most records of one user that one save forgets; the next ones go on.
const FORGOTTEN: i32 = 1_000;

impl MongoDevices {
    pub(super) async fn keep(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
        here: bool,
    ) -> Result<(), Fault> {
        if records.is_empty() {
            return Ok(());
        }
        let mongo = &self.inner.mongo;
        let _one_after_the_other = self.inner.saving.lock().await;
        if !self.has_indexes() {
            index(mongo, DEVICES, doc! { "at": 1 }, false).await?;
            index(mongo, DEVICES, doc! { "user": 1, "at": -1 }, false).await?;
            self.inner.has_indexes.store(true, Ordering::Relaxed);
        }
        let taken: Vec<(DeviceKey, Vec<Bson>)> = {
            let taken = self.taken();
            let of = |key| taken.get(key).cloned().unwrap_or_default();
            records
                .iter()
                .map(|(key, _)| (key.clone(), of(key)))
                .collect()
        };
        let statements = records.iter().zip(&taken);
        let updates: Vec<Document> = statements
            .map(|((key, record), (_, taken))| self.statement(key, record, taken, here))
            .collect();
        let users: BTreeSet<String> = records
            .iter()
            .map(|(key, _)| key.user().to_owned())
            .collect();
        let (database, concern) = (
            mongo.database().clone(),
            Mongo::writing(mongo.deployed().await?),
        );
        mongo
            .run(PATIENCE, async move {
                save(&database, &updates, users, &concern).await
            })
            .await?;
        self.removed(taken);
        Ok(())
    }

    /// One statement of a save.
    fn statement(
        &self,
        key: &DeviceKey,
        record: &DeviceRecord,
        taken: &[Bson],
        here: bool,
    ) -> Document {
        let me = self.me();
        let mine = Slot::document(me, record, here);
        let me = me.to_string();
        let before = doc! { "$cond": [{ "$isArray": "$slots" }, "$slots", []] };
        let mut set = doc! { "user": { "$literal": key.user() } };
        if key.is_of_device() {
            let owner = doc! { "$ifNull": ["$owner", &me] };
            // Who is not the owner keeps it from expiring: somebody is there.
            let at = doc! { "$max": ["$$this.at", record.at] };
            let renewed = doc! { "$mergeObjects": ["$$this", { "at": at }] };
            let is_slot = doc! { "$eq": [{ "$type": "$$this" }, "object"] };
            let renewed = doc! { "$cond": [is_slot, renewed, "$$this"] };
            let renewed = doc! { "$map": { "input": before, "in": renewed } };
            set.insert(
                "slots",
                doc! { "$cond": [{ "$eq": [&owner, &me] }, [mine], renewed] },
            );
            set.insert("owner", owner);
        } else {
            let stamp = doc! { "$ifNull": ["$$this.stamp", null] };
            let stays = doc! { "$and": [{ "$ne": ["$$this.by", &me] }, { "$not": [{ "$in": [stamp, { "$literal": taken }] }] }] };
            let others = doc! { "$filter": { "input": before, "cond": stays } };
            set.insert("slots", doc! { "$concatArrays": [others, [mine]] });
        }
        let update = [
            doc! { "$set": set },
            doc! { "$set": { "at": { "$max": "$slots.at" } } },
        ];
        doc! { "q": { "_id": key.as_str() }, "u": &update[..], "upsert": true }
    }
}

/// Saves, and forgets what is too old, or too many of one user. No transaction: records are of one
/// client each, and what a killed node had locked could not be read.
async fn save(
    database: &Database,
    updates: &[Document],
    users: BTreeSet<String>,
    concern: &WriteConcern,
) -> Result<(), Error> {
    run(
        database,
        doc! { "update": DEVICES, "updates": updates, "ordered": false },
        concern,
    )
    .await?;
    let mut gone = vec![doc! { "q": { "at": { "$lte": time::unix_ms() - LIFE_MS } }, "limit": 0 }];
    let beyond = beyond(database, users).await?;
    if !beyond.is_empty() {
        gone.push(doc! { "q": { "_id": { "$in": beyond } }, "limit": 0 });
    }
    run(
        database,
        doc! { "delete": DEVICES, "deletes": gone },
        concern,
    )
    .await
}

/// The keys of those records of users that are too many.
async fn beyond(database: &Database, users: BTreeSet<String>) -> Result<Vec<Bson>, Error> {
    let most = i32::try_from(RECORDS_PER_USER).unwrap_or(i32::MAX);
    let users: Vec<String> = users.into_iter().collect();
    let stages = [
        doc! { "$match": { "user": { "$in": users } } },
        doc! { "$sort": { "user": 1, "at": -1 } },
        doc! { "$group": { "_id": "$user", "keys": { "$push": "$_id" } } },
        doc! { "$match": { (format!("keys.{most}")): { "$exists": true } } },
        doc! { "$project": { "keys": { "$slice": ["$keys", most, FORGOTTEN] } } },
    ];
    let mut found = database
        .collection::<Document>(DEVICES)
        .aggregate(stages)
        .max_time(PATIENCE)
        .await?;
    let mut keys = Vec::new();
    while found.advance().await? {
        let user = found.deserialize_current()?;
        keys.extend(user.get_array("keys").into_iter().flatten().cloned());
    }
    Ok(keys)
}

async fn run(
    database: &Database,
    mut command: Document,
    concern: &WriteConcern,
) -> Result<(), Error> {
    command.insert(
        "writeConcern",
        mongodb::bson::serialize_to_bson(concern).map_err(Error::custom)?,
    );
    let answer = database.run_command(command).await?;
    let whole = !answer.contains_key("writeErrors") && !answer.contains_key("writeConcernError");
    if whole {
        Ok(())
    } else {
        Err(Error::custom("records of clients were not all saved"))
    }
}
