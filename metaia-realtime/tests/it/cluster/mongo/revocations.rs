//! Records of revocations that cannot be read.

use metaia_realtime::{
    mongo::{Mongo, MongoOptions, MongoRevocations},
    revocation::{Revocation, RevocationChanges, RevocationStore},
    testing::mongod::Mongod,
};
use mongodb::{
    Collection,
    bson::{DateTime, Document, doc},
};

use crate::support::captured_log::CapturedLog;

async fn read_all(store: &MongoRevocations) -> Vec<Revocation> {
    let RevocationChanges { revocations, .. } = store.changed_since(None).await.unwrap();
    revocations
}

/// Checks that a damaged record is replaced when it is read first. If each read revoked everyone's
/// tokens again, no user could sign in.
async fn check_replaced(server: &Mongod) {
    let uri = server.uri_of_new_database();
    let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
    let store = MongoRevocations::new(&mongo);
    let user = Revocation::of_user("u1".parse().unwrap(), 7);
    store.put(user.clone()).await.unwrap();
    let raw: Collection<Document> = mongo.database().collection("rt_revocation");
    let later = DateTime::from_millis(4_000_000_000_000);
    raw.insert_many([
        doc! { "_id": "user x y" },
        doc! { "_id": "everyone", "before": "text", "changed": later },
        doc! { "_id": 7, "changed": later },
    ])
    .await
    .unwrap();
    let logged = CapturedLog::start();
    let before = DateTime::now().timestamp_millis() - 5_000;
    let mut first = read_all(&store).await;
    first.sort_by_key(Revocation::bound);
    let [kept, everyone] = first.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!(*kept, user);
    let until = everyone.bound();
    assert_eq!(*everyone, Revocation::of_everyone(until));
    let after = DateTime::now().timestamp_millis() + 5_000;
    assert!((before..after).contains(&until), "{until}");
    let text = logged.text();
    let is_said = text.contains("ERROR") && text.contains("revocations cannot be read");
    assert!(is_said, "{text}");
    let mut again = read_all(&store).await;
    again.sort_by_key(Revocation::bound);
    assert_eq!(again, first);
    assert_eq!(logged.text(), text);
}

#[tokio::test]
async fn damaged_records_are_replaced_once() {
    check_replaced(Mongod::replica_set()).await;
}

#[tokio::test]
async fn damaged_records_are_replaced_once_on_a_standalone_server_too() {
    check_replaced(Mongod::standalone()).await;
}
