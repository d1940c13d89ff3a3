//! Very many revocations, and records of revocations that cannot be read.

use std::collections::BTreeMap;

use metaia_realtime::{
    mongo::{Mongo, MongoOptions, MongoRevocations},
    revocation::{Revocation, RevocationChanges, RevocationCursor, RevocationStore},
    testing::mongod::Mongod,
};
use mongodb::{
    Collection,
    bson::{Bson, DateTime, Document, doc, oid::ObjectId},
};

use crate::support::captured_log::CapturedLog;

/// A store in a new database, and its documents.
struct Subject {
    store: MongoRevocations,
    raw: Collection<Document>,
    mongo: Mongo,
}

impl Subject {
    async fn on(server: &Mongod) -> Self {
        let uri = server.uri_of_new_database();
        let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
        Self {
            store: MongoRevocations::new(&mongo),
            raw: mongo.database().collection("rt_revocation"),
            mongo,
        }
    }

    /// Reads a pass by pages. Returns its records, and the cursor after it.
    async fn read_pass(
        &self,
        mut cursor: Option<RevocationCursor>,
        limit: usize,
    ) -> (Vec<Revocation>, Option<RevocationCursor>) {
        let mut read = Vec::new();
        for _ in 0..1_000 {
            let page = self.store.changed_since(cursor, limit).await.unwrap();
            let RevocationChanges { revocations, .. } = page;
            assert!(revocations.len() <= limit, "{}", revocations.len());
            read.extend(revocations);
            cursor = Some(page.cursor);
            if !page.has_more {
                read.sort_by_key(Revocation::key);
                return (read, cursor);
            }
        }
        panic!("a pass without an end");
    }

    async fn read_all(&self) -> Vec<Revocation> {
        self.read_pass(None, 100).await.0
    }
}

fn of_user(user: &str, issued_before: i64) -> Revocation {
    Revocation::of_user(user.parse().unwrap(), issued_before)
}

/// Checks that very many records, all of one time, are read by pages once each: by the first pass,
/// and by the one after it, which goes back.
#[tokio::test]
async fn very_many_records_of_one_time_are_read_by_pages() {
    const COUNT: usize = 50_000;
    let subject = Subject::on(Mongod::replica_set()).await;
    subject.store.put(of_user("first", 7)).await.unwrap();
    let now = DateTime::now();
    let document = |i| doc! { "_id": format!("user u{i:06}"), "before": 7_i64, "changed": now };
    let documents: Vec<Document> = (0..COUNT).map(document).collect();
    subject.raw.insert_many(documents).await.unwrap();
    let (first, cursor) = subject.read_pass(None, 1_000).await;
    assert_eq!(first.len(), COUNT + 1);
    let (second, cursor) = subject.read_pass(cursor, 1_000).await;
    assert_eq!(second, first);
    // So many are not read again each second, and a new one is seen all the same.
    let last = of_user("last", 7);
    subject.store.put(last.clone()).await.unwrap();
    let (third, _) = subject.read_pass(cursor, 1_000).await;
    assert!(third.contains(&last));
    let is_once = third.windows(2).all(|pair| pair[0] != pair[1]);
    assert!(is_once, "a record comes twice");
}

/// A database's ids may have any type: pages must not end at one of another type.
#[tokio::test]
async fn ids_of_any_type_end_no_pass() {
    let subject = Subject::on(Mongod::replica_set()).await;
    let now = DateTime::now();
    subject.store.put(of_user("a", 7)).await.unwrap();
    let strange: [Bson; 6] = [
        7.into(),
        7.5.into(),
        ObjectId::new().into(),
        true.into(),
        doc! { "user": 1 }.into(),
        now.into(),
    ];
    let (_, cursor) = subject.read_pass(None, 1).await;
    for id in strange {
        let document = doc! { "_id": id, "before": 7_i64, "changed": now };
        subject.raw.insert_one(document).await.unwrap();
    }
    let record = doc! { "_id": "user z", "before": 7_i64, "changed": now };
    subject.raw.insert_one(record).await.unwrap();
    let (read, _) = subject.read_pass(cursor, 1).await;
    let keys: Vec<_> = read.iter().map(Revocation::key).collect();
    let users = ["user a", "user z"].map(str::to_owned);
    assert!(users.iter().all(|user| keys.contains(user)), "{keys:?}");
    assert!(keys.iter().any(|key| key == "everyone"), "{keys:?}");
    let all = subject.read_pass(None, 1).await.0;
    let keys: Vec<_> = all.iter().map(Revocation::key).collect();
    assert_eq!(keys, ["everyone", "user a", "user z"]);
}

#[tokio::test]
async fn an_index_that_was_dropped_is_made_again() {
    let subject = Subject::on(Mongod::replica_set()).await;
    subject.store.put(of_user("a", 7)).await.unwrap();
    let (_, cursor) = subject.read_pass(None, 10).await;
    subject.raw.drop_indexes().await.unwrap();
    let failed = subject.store.changed_since(cursor.clone(), 10).await;
    assert!(failed.is_err(), "it reads by the index");
    let (read, _) = subject.read_pass(cursor, 10).await;
    assert_eq!(read, [of_user("a", 7)]);
    subject.mongo.close().await;
}

/// Checks that a damaged record is replaced when it is read first. If each read revoked everyone's
/// tokens again, no user could sign in.
async fn check_replaced(server: &Mongod) {
    let subject = Subject::on(server).await;
    let user = of_user("u1", 7);
    subject.store.put(user.clone()).await.unwrap();
    let later = DateTime::from_millis(4_000_000_000_000);
    let damaged = [
        doc! { "_id": "user x y" },
        doc! { "_id": "everyone", "before": "text", "changed": later },
        doc! { "_id": 7, "changed": later },
    ];
    subject.raw.insert_many(damaged).await.unwrap();
    let logged = CapturedLog::start();
    let before = DateTime::now().timestamp_millis() - 5_000;
    let first = subject.read_all().await;
    let [everyone, kept] = first.as_slice() else {
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
    assert_eq!(subject.read_all().await, first);
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

/// Checks that a record which is put over a damaged one does not weaken it: the bound of the
/// damaged one may have been greater.
async fn check_not_weakened(server: &Mongod) {
    let subject = Subject::on(server).await;
    let bounds: BTreeMap<&str, Option<Bson>> = BTreeMap::from([
        ("missing", None),
        ("null", Some(Bson::Null)),
        ("text", Some("9".into())),
        ("negative", Some((-1.5).into())),
        ("too large", Some(1e300.into())),
        ("no number", Some(f64::NAN.into())),
        ("a list", Some(vec![7_i64].into())),
    ]);
    let later = DateTime::now().timestamp_millis() + 3_600_000;
    for (name, bound) in bounds {
        for (field, revocation) in [
            ("before", of_user("u1", 7)),
            ("before", Revocation::of_everyone(7)),
            ("until", Revocation::of_token("t", Some(later))),
        ] {
            subject.raw.delete_many(doc! {}).await.unwrap();
            subject.store.put(Revocation::of_everyone(5)).await.unwrap();
            let mut damaged = doc! { "changed": DateTime::now() };
            if let Some(bound) = &bound {
                damaged.insert(field, bound.clone());
            }
            let id = doc! { "_id": revocation.key() };
            let replaced = subject.raw.replace_one(id, damaged).upsert(true).await;
            replaced.unwrap();
            let before = DateTime::now().timestamp_millis() - 5_000;
            let standing = subject.store.put(revocation.clone()).await.unwrap();
            let stored = subject.read_all().await;
            let everyone = &stored[0];
            assert_eq!(everyone.key(), "everyone", "{name}: {stored:?}");
            assert!(everyone.bound() > before, "{name}: {stored:?}");
            let due = stored.iter().find(|it| it.key() == revocation.key());
            assert_eq!(due, Some(&standing), "{name}");
        }
    }
}

#[tokio::test]
async fn a_damaged_record_is_not_weakened_by_a_put() {
    check_not_weakened(Mongod::replica_set()).await;
}

#[tokio::test]
async fn a_damaged_record_is_not_weakened_by_a_put_on_a_standalone_server() {
    check_not_weakened(Mongod::standalone()).await;
}

/// A bound that is no whole number is no end: the token stays revoked.
#[tokio::test]
async fn a_damaged_record_does_not_end() {
    let subject = Subject::on(Mongod::replica_set()).await;
    let damaged = doc! { "_id": "token t", "until": 1.5, "changed": DateTime::now() };
    subject.raw.insert_one(damaged).await.unwrap();
    subject.store.put(of_user("u1", 7)).await.unwrap();
    let keys: Vec<_> = subject
        .read_all()
        .await
        .iter()
        .map(Revocation::key)
        .collect();
    assert_eq!(keys, ["everyone", "user u1"]);
}
