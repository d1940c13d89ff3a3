//! Control entries that a node finds in MongoDB and cannot read.

use metaia_realtime::{
    EventLog, NewEntry, Role,
    mongo::{Mongo, MongoOptions},
    testing::{TestServer, eventually, mongod::Mongod},
    values::EventId,
};
use mongodb::bson::{Document, doc};

use super::{all_entries, append, open_log};
use crate::support::{event, order, policy::Policy, tick, ticks, user};

fn of_a_newer_version() -> NewEntry {
    NewEntry::stored(EventId::random(), ["order-o1"], "rt:newer", "{}".to_owned()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_of_a_newer_node_takes_a_room_from_the_revoked_client_alone() {
    let uri = Mongod::replica_set().uri_of_new_database();
    let newer = open_log(&uri).await;
    let older = open_log(&uri).await;
    let policy = Policy::new();
    let server = TestServer::start(|builder| builder.log(older).order_access(policy.clone())).await;
    let (tailor, mut tailors) = server.client(Role::Tailor, "t1").await;
    let (admin, mut admins) = server.client(Role::Admin, "a1").await;
    tailor.join_order("o1").await.unwrap();
    admin.join_order("o1").await.unwrap();
    policy.deny("t1");
    newer.append(vec![of_a_newer_version()]).await.unwrap();
    append(&newer, order("o1"), 1).await;
    assert_eq!(
        event(&mut tailors, "rt:room_left").await.data["reason"],
        "access_revoked"
    );
    assert_eq!(ticks(&mut admins, 1).await, [1]);
    tick(server.realtime(), user("t1"), 2).await;
    assert_eq!(ticks(&mut tailors, 1).await, [2]);
    assert_eq!(server.realtime().stats().unreadable_controls, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_control_entry_is_an_entry_and_a_damaged_event_is_not() {
    let uri = Mongod::replica_set().uri_of_new_database();
    let log = open_log(&uri).await;
    let disconnect = NewEntry::disconnect_user("c1".parse().unwrap());
    log.append(vec![disconnect]).await.unwrap();
    append(&log, user("c1"), 2).await;
    let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
    let rows = mongo.database().collection::<Document>("rt_entry");
    let without_payload = doc! { "$unset": { "payload": "" } };
    rows.update_one(doc! { "_id": 1 }, without_payload.clone())
        .await
        .unwrap();
    let reopened = open_log(&uri).await;
    let numbers = |entries: Vec<_>| -> Vec<u64> {
        let entries: Vec<std::sync::Arc<metaia_realtime::log::Entry>> = entries;
        entries.iter().map(|entry| entry.n()).collect()
    };
    assert_eq!(numbers(all_entries(&reopened).await), [1, 2]);

    append(&log, user("c1"), 3).await;
    rows.update_one(doc! { "_id": 2 }, without_payload)
        .await
        .unwrap();
    let reopened = open_log(&uri).await;
    eventually("the head", || *reopened.changes().borrow() == 3).await;
    assert_eq!(numbers(all_entries(&reopened).await), [3]);
}
