//! Where clients are, as several nodes know it.

use metaia_realtime::{
    DeviceId, Epoch, EventId, Identity, Position, Role,
    device::{DeviceKey, DeviceRecord, DeviceStore},
    mongo::{Mongo, MongoDevices, Options},
    testing::mongod::Mongod,
};

async fn two() -> (MongoDevices, MongoDevices) {
    let mongo = Mongo::open(&Mongod::replica_set().uri_of_new_database(), Options::default()).await.unwrap();
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
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let position = Position::of(Epoch::from_bits(7), n, EventId::from_bytes([n as u8; 16]));
    DeviceRecord { position, orders: Vec::new(), connections: 1, at: now.as_millis() as i64 }
}

async fn save(store: &MongoDevices, key: &DeviceKey, n: u64) {
    store.save(vec![(key.clone(), at(n))]).await.unwrap();
}

async fn loaded(store: &MongoDevices, key: &DeviceKey) -> Option<u64> {
    store.load(key).await.unwrap().map(|record| record.position.n())
}

#[tokio::test]
async fn a_phone_that_has_moved_is_not_put_back_by_where_it_was() {
    let ((one, other), key) = (two().await, of_device());
    save(&one, &key, 5).await;
    assert_eq!(loaded(&other, &key).await, Some(5));
    save(&other, &key, 9).await;
    // It finds the dead line only now.
    save(&one, &key, 6).await;
    assert_eq!(loaded(&other, &key).await, Some(9));
    assert_eq!(loaded(&one, &key).await, Some(9));
    save(&one, &key, 12).await;
    save(&other, &key, 9).await;
    assert_eq!(loaded(&one, &key).await, Some(12));
}

#[tokio::test]
async fn of_phones_that_share_a_token_the_furthest_behind_counts() {
    let ((one, other), key) = (two().await, of_token());
    save(&one, &key, 5).await;
    save(&other, &key, 9).await;
    save(&one, &key, 6).await;
    let record = other.load(&key).await.unwrap().unwrap();
    assert_eq!((record.position.n(), record.connections), (6, 2));
    // The one that was taken over is not counted once more, and what is saved later counts again.
    assert_eq!(loaded(&other, &key).await, Some(6));
    save(&other, &key, 20).await;
    save(&one, &key, 8).await;
    assert_eq!(loaded(&other, &key).await, Some(8));
}
