//! The positions of devices and tokens, stored by several nodes.

mod earlier;
mod servers;

use std::time::Duration;

use metaia_realtime::{
    Identity, Position, Role,
    device::{Claimant, DeviceKey, DeviceRecord, DeviceStore},
    mongo::{Mongo, MongoDevices, MongoDirectory, MongoOptions},
    presence::{Directory, FORMAT, NodeView},
    testing::mongod::Mongod,
    values::{DeviceId, Epoch, EventId, NodeId},
};
use mongodb::bson::{Bson, DateTime, Document, doc};

async fn open_mongo() -> Mongo {
    Mongo::open(
        &Mongod::replica_set().uri_of_new_database(),
        MongoOptions::default(),
    )
    .await
    .unwrap()
}

/// Creates a database, and opens its store for two nodes.
async fn two() -> (Mongo, MongoDevices, MongoDevices) {
    let mongo = open_mongo().await;
    let one = MongoDevices::new(&mongo);
    let other = MongoDevices::new(&mongo);
    (mongo, one, other)
}

fn device_key() -> DeviceKey {
    let device: DeviceId = "d".parse().unwrap();
    DeviceKey::new(&identity(), Some(&device)).unwrap()
}

fn token_key() -> DeviceKey {
    DeviceKey::new(&identity(), None).unwrap()
}

fn identity() -> Identity {
    let mut identity = Identity::new("u".parse().unwrap(), Role::Customer);
    identity.token_id = Some("t".to_owned());
    identity
}

/// Returns a record at entry `n`, seen now.
#[allow(
    clippy::disallowed_methods,
    reason = "a record that was seen long ago would be expired"
)]
fn at(n: u64) -> DeviceRecord {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let position = Position::new(Epoch::from_bits(7), n, EventId::from_bytes([n as u8; 16]));
    DeviceRecord {
        position,
        orders: Vec::new(),
        connections: 1,
        connected: 0,
        at: now.as_millis() as i64,
    }
}

async fn save(store: &MongoDevices, key: &DeviceKey, n: u64) {
    store.save(vec![(key.clone(), at(n))]).await.unwrap();
}

/// Returns the stored document of a client.
async fn stored(mongo: &Mongo, key: &DeviceKey) -> Option<Document> {
    let devices = mongo.database().collection::<Document>("rt_device");
    let filter = doc! { "_id": key.to_string() };
    devices.find_one(filter).await.unwrap()
}

fn slots(document: &Document) -> impl Iterator<Item = &Document> {
    let slots = document.get_array("slots").unwrap().iter();
    slots.map(|slot| slot.as_document().unwrap())
}

/// Returns the numbers of the stored positions of a client, in order.
async fn stored_positions(mongo: &Mongo, key: &DeviceKey) -> Vec<u64> {
    let document = stored(mongo, key).await.unwrap();
    let numbers = slots(&document).map(|slot| {
        let position: Position = slot.get_str("position").unwrap().parse().unwrap();
        position.n()
    });
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

/// Claims the record of a client that connects. Returns the positions that this node has or takes
/// over, and those that stay with other nodes.
async fn claim(store: &MongoDevices, key: &DeviceKey, claimant: Claimant) -> (Vec<u64>, Vec<u64>) {
    let found = store.claim(key, claimant).await.unwrap();
    let numbers =
        |records: Vec<DeviceRecord>| records.iter().map(|record| record.position.n()).collect();
    let here = found.own.into_iter().chain(found.left).collect();
    (numbers(here), numbers(found.elsewhere))
}

/// Several clients may share a device, as well as a token.
fn keys() -> [DeviceKey; 2] {
    [device_key(), token_key()]
}

#[tokio::test]
async fn a_client_of_the_same_key_stays_with_its_own_node() {
    let (mongo, one, other) = two().await;
    for key in keys() {
        save(&one, &key, 10).await;
        assert_eq!(claim(&other, &key, Claimant::New).await, (vec![], vec![10]));
        save(&other, &key, 20).await;
        // As if the other node had been killed: on whichever node its client connects, the smallest
        // position counts, also if that node knows the key.
        assert_eq!(stored_positions(&mongo, &key).await, [10, 20]);
        assert_eq!(
            claim(&other, &key, Claimant::Known).await,
            (vec![], vec![10])
        );
        assert_eq!(claim(&one, &key, Claimant::Known).await, (vec![], vec![20]));
    }
}

#[tokio::test]
async fn a_record_that_a_node_left_is_taken_over_once() {
    let (mongo, one, other) = two().await;
    for key in keys() {
        one.leave(vec![(key.clone(), at(5))]).await.unwrap();
        assert_eq!(
            claim(&other, &key, Claimant::Known).await,
            (vec![5], vec![])
        );
        assert_eq!(
            claim(&other, &key, Claimant::Known).await,
            (vec![], vec![]),
            "the record waits in the ledger of the node"
        );
        assert_eq!(
            stored_positions(&mongo, &key).await,
            [5],
            "the stored record stays until the node has saved it"
        );
        save(&other, &key, 20).await;
        assert_eq!(stored_positions(&mongo, &key).await, [20]);
    }
}

#[tokio::test]
async fn a_record_that_was_saved_again_meanwhile_is_not_removed() {
    let (mongo, one, other) = two().await;
    for key in keys() {
        one.leave(vec![(key.clone(), at(5))]).await.unwrap();
        claim(&other, &key, Claimant::New).await;
        save(&one, &key, 7).await;
        save(&other, &key, 20).await;
        assert_eq!(stored_positions(&mongo, &key).await, [7, 20]);
    }
}

#[tokio::test]
async fn the_slot_of_a_dead_node_is_taken_over_and_of_a_living_one_is_not() {
    let mongo = open_mongo().await;
    let key = token_key();
    let one = MongoDevices::new(&mongo);
    let other = MongoDevices::new(&mongo);
    let directory = MongoDirectory::new(&mongo);
    let first_node = NodeId::random();
    let second_node = NodeId::random();
    one.serve(first_node);
    other.serve(second_node);
    save(&one, &key, 5).await;
    let announce = async |node| {
        let node = NodeView {
            id: node,
            since: 0,
            sessions: 0,
            format: FORMAT,
        };
        directory
            .begin(&node, Duration::from_secs(60))
            .await
            .unwrap();
    };
    announce(second_node).await;
    assert_eq!(
        claim(&other, &key, Claimant::New).await,
        (vec![], vec![5]),
        "the first node may not have announced itself yet"
    );
    saved_long_ago(&mongo).await;
    announce(first_node).await;
    assert_eq!(claim(&other, &key, Claimant::New).await, (vec![], vec![5]));
    directory.leave(first_node).await.unwrap();
    assert_eq!(claim(&other, &key, Claimant::New).await, (vec![5], vec![]));
}

/// As if the first slot of each document had been saved long ago.
async fn saved_long_ago(mongo: &Mongo) {
    let devices = mongo.database().collection::<Document>("rt_device");
    let long_ago = doc! { "$set": { "slots.0.saved": DateTime::from_millis(0) } };
    devices.update_many(doc! {}, long_ago).await.unwrap();
}

/// The client of a killed node came to another one before the lease had ended. Its position counts
/// once more, since it may have been another client's, but nobody is awaited.
#[tokio::test]
async fn a_client_that_came_before_the_lease_had_ended_is_not_awaited() {
    let (mongo, one, other) = two().await;
    let directory = MongoDirectory::new(&mongo);
    let node = NodeView {
        id: NodeId::random(),
        since: 0,
        sessions: 0,
        format: FORMAT,
    };
    other.serve(node.id);
    let lease = Duration::from_secs(60);
    directory.begin(&node, lease).await.unwrap();
    for key in keys() {
        save(&one, &key, 5).await;
        assert_eq!(claim(&other, &key, Claimant::New).await, (vec![], vec![5]));
        save(&other, &key, 9).await;
        saved_long_ago(&mongo).await;
        let left = other.claim(&key, Claimant::Known).await.unwrap().left;
        let counted: Vec<_> = left
            .iter()
            .map(|record| (record.position.n(), record.connections))
            .collect();
        assert_eq!(counted, [(5, 0)]);
        save(&other, &key, 10).await;
        assert_eq!(stored_positions(&mongo, &key).await, [10]);
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_leads_to_a_reset() {
    for key in keys() {
        let mongo = open_mongo().await;
        let one = MongoDevices::new(&mongo);
        let other = MongoDevices::new(&mongo);
        save(&one, &key, 5).await;
        let devices = mongo.database().collection::<Document>("rt_device");
        devices
            .update_one(doc! {}, doc! { "$set": { "slots": [7, { "by": 1 }] } })
            .await
            .unwrap();
        let found = other.claim(&key, Claimant::New).await.unwrap();
        assert_eq!(found.left.len(), 2);
        assert!(
            found
                .left
                .iter()
                .all(|record| record.position.epoch() != at(5).position.epoch())
        );
        save(&one, &key, 6).await;
        save(&other, &key, 9).await;
        assert_eq!(stored_positions(&mongo, &key).await, [6, 9]);
    }
}

#[tokio::test]
async fn a_full_batch_is_saved_at_once() {
    let (mongo, one, _) = two().await;
    let record = at(3);
    let record_of = |user: usize| {
        let identity = Identity::new(format!("u{user}").parse().unwrap(), Role::Customer);
        (
            DeviceKey::new(&identity, Some(&"d".parse().unwrap())).unwrap(),
            record.clone(),
        )
    };
    let records: Vec<_> = (0..256).map(record_of).collect();
    one.save(records.clone()).await.unwrap();
    for (key, _) in &records {
        assert_eq!(stored_positions(&mongo, key).await, [3]);
    }
}

/// Returns the stored document of a client without the times and the random values in it.
async fn stable_document(mongo: &Mongo, key: &DeviceKey) -> Document {
    let mut found = stored(mongo, key).await.unwrap();
    if let Some(copies) = found.remove("copies") {
        assert_eq!(Some(&copies), found.get("slots"));
    }
    for slot in found.get_array_mut("slots").unwrap() {
        let slot = slot.as_document_mut().unwrap();
        assert!(matches!(slot.remove("stamp"), Some(Bson::Binary(_))));
        assert!(matches!(slot.remove("saved"), Some(Bson::DateTime(_))));
        assert!(matches!(slot.remove("heard"), Some(Bson::DateTime(_))));
    }
    found
}

/// This version reads the records that an earlier one has stored, and the earlier one reads those
/// of this version.
#[tokio::test]
async fn the_documents_of_records_stay_the_same() {
    let mongo = open_mongo().await;
    let store = MongoDevices::new(&mongo);
    store.serve(NodeId::from_bytes([0xa1; 16]));
    let node = "a1".repeat(16);
    let record = DeviceRecord {
        position: "00000000000000e1-0a1b2c3d.42".parse().unwrap(),
        orders: vec!["o-1".parse().unwrap(), "o_2".parse().unwrap()],
        connections: 2,
        connected: 1,
        at: 4_102_444_800_000,
    };
    let records = [device_key(), token_key()].map(|key| (key, record.clone()));
    store.save(records.to_vec()).await.unwrap();
    let slot = doc! {
        "by": &node,
        "here": true,
        "position": "00000000000000e1-0a1b2c3d.42",
        "orders": "o-1 o_2",
        "connections": 2_i64,
        "connected": 1_i64,
        "at": 4_102_444_800_000_i64,
    };
    let device = doc! {
        "_id": "u device d",
        "user": "u",
        "slots": [&slot],
        "owner": "several",
        "at": 4_102_444_800_000_i64,
    };
    assert_eq!(stable_document(&mongo, &device_key()).await, device);
    let token = doc! {
        "_id": "u token t",
        "user": "u",
        "slots": [&slot],
        "at": 4_102_444_800_000_i64,
    };
    assert_eq!(stable_document(&mongo, &token_key()).await, token);
}
