//! Where clients are, as several nodes know it.

use std::time::Duration;

use metaia_realtime::{
    Authenticator, EventId, Identity, Position, Role,
    auth::{AuthError, Credentials},
    device::{DeviceKey, DeviceRecord, DeviceStore},
    log::Retention,
    mongo::{Mongo, MongoDevices, MongoDirectory, Options},
    presence::{Directory, NodeView},
    testing::{SharedLog, TestServer, mongod::Mongod, within},
    values::{DeviceId, Epoch, NodeId},
};
use mongodb::bson::{DateTime, Document, doc};
use serde_json::json;

use crate::{limits, support::raw_socket::Line, tick, user};

async fn opened() -> Mongo {
    Mongo::open(
        &Mongod::replica_set().uri_of_new_database(),
        Options::default(),
    )
    .await
    .unwrap()
}

async fn two() -> (MongoDevices, MongoDevices) {
    let mongo = opened().await;
    (MongoDevices::new(&mongo), MongoDevices::new(&mongo))
}

fn of_device() -> DeviceKey {
    let device: DeviceId = "d".parse().unwrap();
    DeviceKey::of(&identity(), Some(&device)).unwrap()
}

fn of_token() -> DeviceKey {
    DeviceKey::of(&identity(), None).unwrap()
}

fn identity() -> Identity {
    let mut identity = Identity::new("u".parse().unwrap(), Role::Customer);
    identity.token_id = Some("t".to_owned());
    identity
}

/// Entry `n`, now.
#[allow(clippy::disallowed_methods, reason = "records are of now")]
fn at(n: u64) -> DeviceRecord {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let position = Position::of(Epoch::from_bits(7), n, EventId::from_bytes([n as u8; 16]));
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

async fn loaded(store: &MongoDevices, key: &DeviceKey) -> Option<u64> {
    store
        .load(key)
        .await
        .unwrap()
        .map(|record| record.position.n())
}

/// A client comes: its positions as the node itself knows them or takes them in, and those that
/// stay elsewhere.
async fn comes(store: &MongoDevices, key: &DeviceKey, known: bool) -> (Vec<u64>, Vec<u64>) {
    let found = store.claim(key, known).await.unwrap();
    let numbers =
        |records: Vec<DeviceRecord>| records.iter().map(|record| record.position.n()).collect();
    (
        numbers(found.own.into_iter().chain(found.left).collect()),
        numbers(found.elsewhere),
    )
}

#[tokio::test]
async fn a_phone_that_has_moved_is_not_put_back_by_where_it_was() {
    let ((one, other), key) = (two().await, of_device());
    save(&one, &key, 5).await;
    assert_eq!(comes(&other, &key, false).await, (vec![5], vec![]));
    save(&other, &key, 9).await;
    // It finds the dead line only now.
    save(&one, &key, 6).await;
    assert_eq!(loaded(&other, &key).await, Some(9));
}

#[tokio::test]
async fn a_phone_that_comes_back_to_a_node_that_still_knows_it_is_stored_from_there() {
    let ((one, other), key) = (two().await, of_device());
    save(&one, &key, 5).await;
    comes(&other, &key, false).await;
    save(&other, &key, 9).await;
    assert_eq!(comes(&one, &key, true).await, (vec![], vec![9]));
    save(&other, &key, 10).await;
    assert_eq!(loaded(&one, &key).await, Some(9));
    save(&one, &key, 12).await;
    assert_eq!(loaded(&other, &key).await, Some(12));
}

#[tokio::test]
async fn who_does_not_own_a_device_still_keeps_it_from_expiring() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let ((one, other), key) = (two().await, of_device());
    let soon_over = DeviceRecord {
        at: at(0).at - DAY + 60_000,
        ..at(5)
    };
    one.save(vec![(key.clone(), soon_over.clone())])
        .await
        .unwrap();
    save(&other, &key, 9).await;
    let record = one.load(&key).await.unwrap().unwrap();
    assert_eq!(record.position.n(), 5);
    assert!(record.at > soon_over.at);
}

#[tokio::test]
async fn another_nodes_phone_of_the_same_token_stays_where_it_is() {
    let ((one, other), key) = (two().await, of_token());
    save(&one, &key, 10).await;
    assert_eq!(comes(&other, &key, false).await, (vec![], vec![10]));
    save(&other, &key, 20).await;
    // The other node was killed; wherever its phone comes, the smallest counts, also where the key
    // is known.
    assert_eq!(loaded(&other, &key).await, Some(10));
    assert_eq!(comes(&other, &key, true).await, (vec![], vec![10]));
    assert_eq!(comes(&one, &key, true).await, (vec![], vec![20]));
}

#[tokio::test]
async fn what_a_node_was_left_with_goes_on_at_another_once() {
    let ((one, other), key) = (two().await, of_token());
    one.leave(vec![(key.clone(), at(5))]).await.unwrap();
    assert_eq!(comes(&other, &key, true).await, (vec![5], vec![]));
    assert_eq!(
        comes(&other, &key, true).await,
        (vec![], vec![]),
        "it waits in the ledger"
    );
    assert_eq!(
        loaded(&one, &key).await,
        Some(5),
        "and is not gone before it is saved"
    );
    save(&other, &key, 20).await;
    assert_eq!(loaded(&one, &key).await, Some(20));
}

#[tokio::test]
async fn what_was_saved_again_meanwhile_is_not_removed() {
    let ((one, other), key) = (two().await, of_token());
    one.leave(vec![(key.clone(), at(5))]).await.unwrap();
    comes(&other, &key, false).await;
    save(&one, &key, 7).await;
    save(&other, &key, 20).await;
    assert_eq!(loaded(&one, &key).await, Some(7));
}

#[tokio::test]
async fn a_dead_nodes_slot_is_taken_in_and_a_living_ones_is_not() {
    let (mongo, key) = (opened().await, of_token());
    let (one, other) = (MongoDevices::new(&mongo), MongoDevices::new(&mongo));
    let (directory, names) = (
        MongoDirectory::new(&mongo),
        [NodeId::random(), NodeId::random()],
    );
    one.serve(names[0]);
    other.serve(names[1]);
    save(&one, &key, 5).await;
    let here = async |node| {
        let node = NodeView {
            id: node,
            since: 0,
            sessions: 0,
        };
        directory
            .begin(&node, Duration::from_secs(60))
            .await
            .unwrap();
    };
    here(names[1]).await;
    assert_eq!(
        comes(&other, &key, false).await,
        (vec![], vec![5]),
        "it may not have announced itself"
    );
    let devices = mongo.database().collection::<Document>("rt_device");
    let long_ago = doc! { "$set": { "slots.0.saved": DateTime::from_millis(0) } };
    devices.update_one(doc! {}, long_ago).await.unwrap();
    here(names[0]).await;
    assert_eq!(comes(&other, &key, false).await, (vec![], vec![5]));
    directory.leave(names[0]).await.unwrap();
    assert_eq!(comes(&other, &key, false).await, (vec![5], vec![]));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_leads_to_a_reset() {
    for key in [of_device(), of_token()] {
        let mongo = opened().await;
        let (one, other) = (MongoDevices::new(&mongo), MongoDevices::new(&mongo));
        save(&one, &key, 5).await;
        let devices = mongo.database().collection::<Document>("rt_device");
        devices
            .update_one(doc! {}, doc! { "$set": { "slots": [7, { "by": 1 }] } })
            .await
            .unwrap();
        let found = other.claim(&key, false).await.unwrap();
        assert!(!found.left.is_empty());
        assert!(
            found
                .left
                .iter()
                .all(|record| record.position.epoch() != at(5).position.epoch())
        );
        save(&one, &key, 6).await;
        save(&other, &key, 9).await;
        assert!(other.load(&key).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_full_batch_is_saved_at_once() {
    let (one, _) = two().await;
    let record = at(3);
    let saved = |user: usize| {
        let identity = Identity::new(format!("u{user}").parse().unwrap(), Role::Customer);
        (
            DeviceKey::of(&identity, Some(&"d".parse().unwrap())).unwrap(),
            record.clone(),
        )
    };
    let records: Vec<_> = (0..256).map(saved).collect();
    one.save(records.clone()).await.unwrap();
    assert_eq!(loaded(&one, &records[255].0).await, Some(3));
}

/// Gives every token the same id.
struct OneTokenId;

impl Authenticator for OneTokenId {
    async fn authenticate(&self, _: Credentials) -> Result<Identity, AuthError> {
        Ok(identity())
    }
}

/// Two phones of one token on two nodes; one of them moves to the other's.
#[tokio::test]
async fn a_phone_is_not_given_the_position_of_another_that_the_node_knows() {
    let (mongo, log) = (opened().await, SharedLog::new(Retention::DISK));
    let start = async || {
        let (log, devices) = (
            log.node(Some(Duration::from_millis(50))),
            MongoDevices::new(&mongo),
        );
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
    let (one, other) = (start().await, start().await);
    let live = async |server: &TestServer| {
        let (mut line, _) = Line::beginning(server, Role::Customer, "u", json!({})).await;
        line.until(r#"42["rt:ready""#).await;
        line.answer_a_ping().await;
        line
    };
    let mut first = live(&one).await;
    let second = live(&other).await;
    let store = MongoDevices::new(&mongo);
    let both = async || {
        while store
            .load(&of_token())
            .await
            .unwrap()
            .is_none_or(|it| it.connections < 2)
        {}
    };
    within("both to be stored", both()).await;
    drop(second);
    tick(one.realtime(), user("u"), 1).await;
    first.until(r#"42["tick",{"i":1"#).await;
    first.answer_a_ping().await;
    let (mut second, _) = Line::beginning(&one, Role::Customer, "u", json!({})).await;
    assert!(
        second
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":1"#)
    );
}
