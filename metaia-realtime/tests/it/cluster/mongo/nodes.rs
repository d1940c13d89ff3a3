//! Several nodes over one log in MongoDB.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use metaia_realtime::{
    EventLog, Identity, Role, Room,
    device::{Claimant, ClaimedRecords, DeviceKey, DeviceStore as _},
    log::Retention,
    mongo::{Deployment, Mongo, MongoDevices, MongoLog, MongoOptions},
    testing::{TestServer, eventually, mongod::Mongod, within},
};
use mongodb::bson::{Document, doc};
use tokio::task::JoinSet;

use super::{all_entries, append, entry, open_log};
use crate::support::{fences::check_fences, order, user};

/// Creates a database, and opens its log twice. Returns its URI, and the logs of the two nodes.
async fn two() -> (String, MongoLog, MongoLog) {
    let uri = Mongod::replica_set().uri_of_new_database();
    let one = open_log(&uri).await;
    let other = open_log(&uri).await;
    (uri, one, other)
}

#[tokio::test]
async fn an_entry_of_one_node_is_found_by_the_other_soon() {
    let (_, one, other) = two().await;
    let mut changes = other.changes();
    for i in 1..=3 {
        let at = append(&one, user("c1"), i).await;
        let begun = Instant::now();
        within("the change", changes.wait_for(|n| *n >= at.n()))
            .await
            .unwrap();
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(
            other.read(None, at.n() - 1, 1).await.unwrap().entries[0].position(),
            at
        );
    }
    assert_eq!(*one.local_appends().borrow(), 3);
    assert_eq!(*other.local_appends().borrow(), 0);
    // `head` and `history` return the newest position at once, not only after the next poll.
    for i in 4..=8 {
        let at = append(&one, user("c1"), i).await;
        assert_eq!(other.head().await.unwrap().position, at);
        assert_eq!(
            other.history(at.n(), &[user("c1")], 1).await.unwrap().head,
            at
        );
    }
}

#[tokio::test]
async fn nodes_that_write_constantly_share_the_log_fairly() {
    let (_, one, other) = two().await;
    let done = Arc::new(AtomicBool::new(false));
    let counts = [Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0))];
    let mut writers = JoinSet::new();
    for (log, count) in [one.clone(), other].into_iter().zip(&counts) {
        for writer in 0..16 {
            let log = log.clone();
            let done = Arc::clone(&done);
            let count = Arc::clone(count);
            writers.spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    log.append(vec![entry(order(&writer.to_string()), 0)])
                        .await
                        .unwrap();
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    }
    let read = || counts.each_ref().map(|count| count.load(Ordering::SeqCst));
    eventually("both nodes to write enough", || {
        read().iter().sum::<u64>() > 3_000 || read().iter().all(|n| *n > 500)
    })
    .await;
    done.store(true, Ordering::SeqCst);
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let counts = read();
    let numbers: Vec<u64> = all_entries(&one)
        .await
        .iter()
        .map(|entry| entry.n())
        .collect();
    assert_eq!(numbers, (1..=counts.iter().sum()).collect::<Vec<_>>());
    let least = counts.iter().min().unwrap();
    let most = counts.iter().max().unwrap();
    assert!(
        least * 5 > *most,
        "one node has written {least} entries, the other {most}"
    );
}

#[tokio::test]
async fn entries_trimmed_by_one_node_count_as_trimmed_on_the_other() {
    let uri = Mongod::replica_set().uri_of_new_database();
    let open_with_ten_entries = async || {
        let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
        let log = MongoLog::open(&mongo, Retention::DISK.entries(10));
        log.ready().await.unwrap();
        log
    };
    let one = open_with_ten_entries().await;
    let other = open_with_ten_entries().await;
    for i in 1..=60 {
        append(&one, order(&(i % 4).to_string()), i).await;
    }
    let (first, second) = tokio::join!(one.trim(), other.trim());
    assert!(first.unwrap() + second.unwrap() <= 50);
    for log in [&one, &other] {
        assert_eq!(log.head().await.unwrap().floor, 50);
        for (room, expected) in [(0, 48), (1, 49), (2, 50), (3, 47)] {
            let rooms = [order(&room.to_string())];
            assert_eq!(
                log.read(Some(&rooms), 0, 100).await.unwrap().trimmed,
                expected
            );
        }
        assert_eq!(all_entries(log).await.first().unwrap().n(), 51);
    }
}

#[tokio::test]
async fn an_older_state_of_the_database_is_another_epoch() {
    let (uri, one, other) = two().await;
    for i in 1..=10 {
        append(&one, user("c1"), i).await;
    }
    let before = other.head().await.unwrap().position;
    let database = Mongo::open(&uri, MongoOptions::default())
        .await
        .unwrap()
        .database()
        .clone();
    let fifth = database
        .collection::<Document>("rt_entry")
        .find_one(doc! { "_id": 5_i64 })
        .await
        .unwrap()
        .unwrap();
    database
        .collection::<Document>("rt_entry")
        .delete_many(doc! { "_id": { "$gt": 5_i64 } })
        .await
        .unwrap();
    let older =
        doc! { "$set": { "n": 5_i64, "id": fifth.get("id").unwrap().clone(), "turn": 5_i64 } };
    database
        .collection::<Document>("rt_head")
        .update_one(doc! {}, older)
        .await
        .unwrap();
    let mut changes = other.changes();
    changes.mark_unchanged();
    let after = one.head().await.unwrap().position;
    assert_eq!(after.n(), 5);
    assert_ne!(after.epoch(), before.epoch());
    within("the other node to notice", changes.changed())
        .await
        .unwrap();
    assert_eq!(other.head().await.unwrap().position, after);
    let at = append(&other, user("c1"), 6).await;
    assert_eq!((at.n(), at.epoch()), (6, after.epoch()));
    assert_eq!(all_entries(&one).await.len(), 6);
}

#[tokio::test]
async fn an_older_state_that_has_grown_again_is_another_epoch_too() {
    let (uri, one, _other) = two().await;
    for i in 1..=10 {
        append(&one, user("c1"), i).await;
    }
    let before = one.head().await.unwrap().position;
    let database = Mongo::open(&uri, MongoOptions::default())
        .await
        .unwrap()
        .database()
        .clone();
    // The state after a restore to entry 9, and two other entries since.
    let entries = database.collection::<Document>("rt_entry");
    let id = |byte: u8| mongodb::bson::Binary {
        subtype: mongodb::bson::spec::BinarySubtype::Generic,
        bytes: vec![byte; 16],
    };
    entries.delete_one(doc! { "_id": 10_i64 }).await.unwrap();
    for n in [10_i64, 11] {
        let row = doc! {
            "_id": n,
            "id": id(n as u8),
            "ts": 1_i64,
            "rooms": ["user-c1"],
            "name": "tick",
            "payload": "{}",
        };
        entries.insert_one(row).await.unwrap();
    }
    let newer = doc! { "$set": { "n": 11_i64, "id": id(11) }, "$inc": { "turn": 1_i64 } };
    database
        .collection::<Document>("rt_head")
        .update_one(doc! {}, newer)
        .await
        .unwrap();
    let after = one.head().await.unwrap().position;
    assert_eq!(after.n(), 11);
    assert_ne!(after.epoch(), before.epoch());
}

#[tokio::test]
async fn a_dropped_database_is_a_new_log() {
    let (uri, one, other) = two().await;
    let before = append(&one, user("c1"), 1).await;
    Mongo::open(&uri, MongoOptions::default())
        .await
        .unwrap()
        .database()
        .drop()
        .await
        .unwrap();
    let after = other.head().await.unwrap().position;
    assert_ne!(after.epoch(), before.epoch());
    let at = append(&one, user("c1"), 2).await;
    assert_eq!((at.n(), at.epoch()), (1, after.epoch()));
}

#[tokio::test]
async fn entries_of_an_embedders_transaction_are_found() {
    let (uri, one, other) = two().await;
    append(&one, Room::Everyone, 0).await;
    let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
    let log = MongoLog::open(&mongo, Retention::DISK);
    let mut session = mongo.client().start_session().await.unwrap();
    let things = mongo.database().collection::<Document>("thing");
    mongo.database().create_collection("thing").await.unwrap();
    for commit in [false, true] {
        session.start_transaction().await.unwrap();
        things
            .insert_one(doc! { "_id": 1 })
            .session(&mut session)
            .await
            .unwrap();
        let entries = [entry(Room::Everyone, 1), entry(Room::Everyone, 2)];
        let positions = log.append_in(&mut session, &entries).await.unwrap();
        assert_eq!(
            positions.iter().map(|at| at.n()).collect::<Vec<_>>(),
            [2, 3]
        );
        if commit {
            session.commit_transaction().await.unwrap();
        } else {
            session.abort_transaction().await.unwrap();
        }
        assert_eq!(
            other.head().await.unwrap().position.n(),
            if commit { 3 } else { 1 }
        );
    }
    assert_eq!(append(&one, Room::Everyone, 3).await.n(), 4);
    assert_eq!(things.count_documents(doc! {}).await.unwrap(), 1);
}

#[tokio::test]
async fn damaged_entries_count_as_trimmed() {
    let (uri, one, _other) = two().await;
    for i in 1..=9 {
        let batch = (0..600)
            .map(|j| entry(order(&(j % 2).to_string()), i))
            .collect();
        one.append(batch).await.unwrap();
    }
    let database = Mongo::open(&uri, MongoOptions::default())
        .await
        .unwrap()
        .database()
        .clone();
    let entries = database.collection::<Document>("rt_entry");
    let wrong = doc! { "$set": { "rooms": ["invalid"], "payload": "{" } };
    entries
        .update_one(doc! { "_id": 100_i64 }, wrong)
        .await
        .unwrap();
    entries.delete_one(doc! { "_id": 200_i64 }).await.unwrap();
    let page = one.read(None, 0, 1_000).await.unwrap();
    assert_eq!(page.trimmed, 200);
    assert_eq!(page.entries.first().unwrap().n(), 201);
    assert_eq!(page.entries.len(), 1_000);
    // The rooms of the damaged entries are unknown, so they count as trimmed in every room.
    assert_eq!(
        one.read(Some(&[user("c1")]), 0, 1).await.unwrap().trimmed,
        200
    );
    let at = append(&one, user("c1"), 1).await.n();
    assert_eq!(at, 9 * 600 + 1);
}

#[tokio::test]
async fn a_fence_covers_the_entries_of_other_nodes() {
    let (uri, one, other) = two().await;
    let publisher = TestServer::start(|builder| builder.log(one)).await;
    let server = TestServer::start(|builder| builder.log(other)).await;
    let before = linearizable_reads(&uri).await;
    check_fences(publisher.realtime(), &server).await;
    let reads = linearizable_reads(&uri).await - before;
    assert!(reads >= 30, "{reads} reads: another one may be old");
}

/// Returns how many linearizable reads the server has answered.
async fn linearizable_reads(uri: &str) -> i64 {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let admin = client.database("admin");
    let status = admin.run_command(doc! { "serverStatus": 1 }).await.unwrap();
    let counters = status.get_document("readConcernCounters").unwrap();
    let counters = counters.get_document("nonTransactionOps").unwrap();
    counters.get_i64("linearizable").unwrap()
}

/// A server that has been replaced as the primary, and does not know it, has an earlier end of the
/// log and lacks clients. Only a linearizable read tells.
#[tokio::test]
async fn a_client_is_not_ahead_or_unknown_by_the_word_of_a_former_primary() {
    let server = Mongod::start(Deployment::ReplicaSet);
    let uri = server.uri("log");
    let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
    let log = open_log(&uri).await;
    let at = append(&log, user("c1"), 1).await;
    let before = linearizable_reads(&uri).await;
    let known = log.history(at.n(), &[user("c1")], 1).await.unwrap();
    assert_eq!(known.head, at);
    assert_eq!(linearizable_reads(&uri).await, before);
    let ahead = log.history(at.n() + 1, &[user("c1")], 1).await.unwrap();
    assert_eq!((ahead.head, ahead.entry), (at, None));
    assert_eq!(linearizable_reads(&uri).await, before + 1);
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let device = "d1".parse().unwrap();
    let devices = MongoDevices::new(&mongo);
    let key = DeviceKey::new(&identity, Some(&device)).unwrap();
    let claimed = devices.claim(&key, Claimant::New).await.unwrap();
    assert_eq!(claimed, ClaimedRecords::default());
    assert_eq!(linearizable_reads(&uri).await, before + 2);
}
