//! The positions of devices and tokens, stored by several nodes.

use std::time::Duration;

use metaia_realtime::{
    Authenticator, Identity, Position, Role,
    auth::{AuthError, Credentials},
    device::{Claimant, DeviceKey, DeviceRecord, DeviceStore},
    log::Retention,
    mongo::{Mongo, MongoDevices, MongoDirectory, MongoOptions},
    presence::{Directory, FORMAT, NodeView},
    testing::{SharedLog, TestServer, mongod::Mongod, within},
    values::{DeviceId, Epoch, EventId, NodeId},
};
use mongodb::bson::{Bson, DateTime, Document, doc};
use serde_json::json;

use crate::support::{limits, raw_socket::RawSocket, tick, user};

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

#[tokio::test]
async fn the_former_node_does_not_overwrite_the_position_of_a_phone_that_moved() {
    let (mongo, one, other) = two().await;
    let key = device_key();
    save(&one, &key, 5).await;
    assert_eq!(claim(&other, &key, Claimant::New).await, (vec![5], vec![]));
    save(&other, &key, 9).await;
    // The former node notices the dead connection only now.
    save(&one, &key, 6).await;
    assert_eq!(stored_positions(&mongo, &key).await, [9]);
}

#[tokio::test]
async fn a_phone_that_returns_to_a_former_node_is_stored_by_that_node() {
    let (mongo, one, other) = two().await;
    let key = device_key();
    save(&one, &key, 5).await;
    claim(&other, &key, Claimant::New).await;
    save(&other, &key, 9).await;
    assert_eq!(claim(&one, &key, Claimant::Known).await, (vec![], vec![9]));
    save(&other, &key, 10).await;
    assert_eq!(stored_positions(&mongo, &key).await, [9]);
    save(&one, &key, 12).await;
    assert_eq!(stored_positions(&mongo, &key).await, [12]);
}

#[tokio::test]
async fn a_node_that_does_not_own_a_device_keeps_it_from_expiring() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let (mongo, one, other) = two().await;
    let key = device_key();
    let expires_soon = DeviceRecord {
        at: at(0).at - DAY + 60_000,
        ..at(5)
    };
    one.save(vec![(key.clone(), expires_soon.clone())])
        .await
        .unwrap();
    save(&other, &key, 9).await;
    assert_eq!(stored_positions(&mongo, &key).await, [5]);
    let document = stored(&mongo, &key).await.unwrap();
    let renewed = slots(&document).next().unwrap().get_i64("at").unwrap();
    assert!(renewed > expires_soon.at, "{document}");
}

#[tokio::test]
async fn a_phone_of_the_same_token_stays_with_its_own_node() {
    let (mongo, one, other) = two().await;
    let key = token_key();
    save(&one, &key, 10).await;
    assert_eq!(claim(&other, &key, Claimant::New).await, (vec![], vec![10]));
    save(&other, &key, 20).await;
    // As if the other node had been killed: on whichever node its phone connects, the smallest
    // position counts, also if that node knows the key.
    assert_eq!(stored_positions(&mongo, &key).await, [10, 20]);
    assert_eq!(
        claim(&other, &key, Claimant::Known).await,
        (vec![], vec![10])
    );
    assert_eq!(claim(&one, &key, Claimant::Known).await, (vec![], vec![20]));
}

#[tokio::test]
async fn a_record_that_a_node_left_is_taken_over_once() {
    let (mongo, one, other) = two().await;
    let key = token_key();
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

#[tokio::test]
async fn a_record_that_was_saved_again_meanwhile_is_not_removed() {
    let (mongo, one, other) = two().await;
    let key = token_key();
    one.leave(vec![(key.clone(), at(5))]).await.unwrap();
    claim(&other, &key, Claimant::New).await;
    save(&one, &key, 7).await;
    save(&other, &key, 20).await;
    assert_eq!(stored_positions(&mongo, &key).await, [7, 20]);
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
    let devices = mongo.database().collection::<Document>("rt_device");
    let long_ago = doc! { "$set": { "slots.0.saved": DateTime::from_millis(0) } };
    devices.update_one(doc! {}, long_ago).await.unwrap();
    announce(first_node).await;
    assert_eq!(claim(&other, &key, Claimant::New).await, (vec![], vec![5]));
    directory.leave(first_node).await.unwrap();
    assert_eq!(claim(&other, &key, Claimant::New).await, (vec![5], vec![]));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_leads_to_a_reset() {
    for (key, stored) in [(device_key(), &[9][..]), (token_key(), &[6, 9])] {
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
        assert_eq!(stored_positions(&mongo, &key).await, stored);
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
    for slot in found.get_array_mut("slots").unwrap() {
        let slot = slot.as_document_mut().unwrap();
        assert!(matches!(slot.remove("stamp"), Some(Bson::Binary(_))));
        assert!(matches!(slot.remove("saved"), Some(Bson::DateTime(_))));
    }
    found
}

/// What an earlier version has stored stays readable, and it can read what this one stores.
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
        "at": 4_102_444_800_000_i64,
    };
    let device = doc! {
        "_id": "u device d",
        "user": "u",
        "slots": [&slot],
        "owner": &node,
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

/// Gives every token the same id.
struct OneTokenId;

impl Authenticator for OneTokenId {
    async fn authenticate(&self, _: Credentials) -> Result<Identity, AuthError> {
        Ok(identity())
    }
}

/// Two phones of one token are on two nodes, and one phone moves to the node of the other.
#[tokio::test]
async fn a_phone_does_not_get_the_position_of_another_phone_on_the_node() {
    let mongo = open_mongo().await;
    let log = SharedLog::new(Retention::DISK);
    let start = async || {
        let log = log.node(Some(Duration::from_millis(50)));
        let devices = MongoDevices::new(&mongo);
        let limits = limits(|limits| limits.ping_interval = Duration::from_millis(50));
        TestServer::start(|builder| {
            builder
                .limits(limits)
                .log(log)
                .device_store(devices)
                .authenticator(OneTokenId)
        })
        .await
    };
    let one = start().await;
    let other = start().await;
    let connect_live = async |server: &TestServer| {
        let mut socket = RawSocket::connect(server, Role::Customer, "u", json!({})).await;
        socket.until(r#"42["rt:ready""#).await;
        socket.answer_a_ping().await;
        socket
    };
    let mut first = connect_live(&one).await;
    let second = connect_live(&other).await;
    let count_stored = async || {
        let document = stored(&mongo, &token_key()).await;
        document.map_or(0, |document| slots(&document).count())
    };
    let both_stored = async || while count_stored().await < 2 {};
    within("both phones to be stored", both_stored()).await;
    drop(second);
    tick(one.realtime(), user("u"), 1).await;
    first.until(r#"42["tick",{"i":1"#).await;
    first.answer_a_ping().await;
    let mut second = RawSocket::connect(&one, Role::Customer, "u", json!({})).await;
    assert!(
        second
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":1"#)
    );
}
