//! Nodes of version 79f6e03, which take a device for one phone, beside nodes of this version.

use metaia_realtime::{
    device::{Claimant, DeviceKey},
    mongo::Mongo,
    values::NodeId,
};
use mongodb::bson::{Document, doc};

use super::{at, claim, device_key, save, stored_positions, two};

/// A node of version 79f6e03, which takes a device for one phone.
struct EarlierNode {
    mongo: Mongo,
    id: NodeId,
}

impl EarlierNode {
    fn new(mongo: &Mongo) -> Self {
        Self {
            mongo: mongo.clone(),
            id: NodeId::random(),
        }
    }

    async fn update(&self, key: &DeviceKey, stages: Vec<Document>) {
        let devices = self.mongo.database().collection::<Document>("rt_device");
        let filter = doc! { "_id": key.to_string() };
        let updated = devices.update_one(filter, stages).upsert(true).await;
        updated.unwrap();
    }

    /// Makes the node the owner, as when the phone connects to it.
    async fn connect(&self, key: &DeviceKey) {
        let owner = doc! { "$set": { "owner": self.id.to_string() } };
        self.update(key, vec![owner]).await;
    }

    async fn save(&self, key: &DeviceKey, n: u64) {
        let record = at(n);
        let node = self.id.to_string();
        let slot = doc! {
            "by": &node,
            "stamp": n as i64,
            "here": true,
            "position": record.position.to_string(),
            "orders": "",
            "connections": 1_i64,
            "at": record.at,
        };
        let mine = doc! { "$mergeObjects": [{ "$literal": slot }, { "saved": "$$NOW" }] };
        let latest = doc! { "$max": ["$$this.at", record.at] };
        let renewed = doc! { "$mergeObjects": ["$$this", { "at": latest }] };
        let before = doc! { "$ifNull": ["$slots", []] };
        let renewed = doc! { "$map": { "input": before, "in": renewed } };
        let owner = doc! { "$ifNull": ["$owner", &node] };
        let is_owner = doc! { "$eq": [&owner, &node] };
        let set = doc! {
            "user": "u",
            "slots": { "$cond": [is_owner, [mine], renewed] },
            "owner": owner,
        };
        let times = doc! { "$set": { "at": { "$max": "$slots.at" } } };
        self.update(key, vec![doc! { "$set": set }, times]).await;
    }
}

#[tokio::test]
async fn an_earlier_node_hides_no_record_of_a_newer_one() {
    let (mongo, one, other) = two().await;
    let earlier = EarlierNode::new(&mongo);
    let key = device_key();
    save(&one, &key, 5).await;
    earlier.connect(&key).await;
    earlier.save(&key, 9).await;
    assert_eq!(
        stored_positions(&mongo, &key).await,
        [9],
        "it sees no other"
    );
    let (here, elsewhere) = claim(&other, &key, Claimant::New).await;
    assert_eq!((here.len(), elsewhere), (0, vec![9, 5]));
    save(&one, &key, 6).await;
    assert_eq!(claim(&other, &key, Claimant::New).await.1, [9, 6]);
}

#[tokio::test]
async fn an_earlier_node_finds_the_records_of_a_newer_one() {
    let (mongo, one, _) = two().await;
    let earlier = EarlierNode::new(&mongo);
    let key = device_key();
    earlier.connect(&key).await;
    earlier.save(&key, 5).await;
    save(&one, &key, 7).await;
    assert_eq!(stored_positions(&mongo, &key).await, [5, 7]);
    // It notices only now that its connection is dead. It is not the owner any more.
    earlier.save(&key, 6).await;
    assert_eq!(stored_positions(&mongo, &key).await, [5, 7]);
}
