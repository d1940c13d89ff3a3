//! Records of the embedder that are committed together with entries of the log.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventLog, NewEntry, PublishReceipt, Room,
    log::{LogError, Retention},
    mongo::{
        Committer, Finished, Mongo, MongoLog, MongoOptions, Plan, RecordChange, RecordWrite,
        Records,
    },
    testing::mongod::Mongod,
};
use mongodb::{
    Collection,
    bson::{Document, doc},
    error::Error,
    options::{CollectionOptions, ReadConcern},
};
use serde_json::json;
use tokio::task::JoinSet;

use super::all_entries;
use crate::support::captured_log::CapturedLog;

const COUNTERS: &str = "counter";

/// Counters that can only be incremented.
struct Counters(Collection<Document>);

/// Increments the counter with this id. Its result is the new count and the receipt of its event;
/// `None` if the change was refused.
struct Increment(String);

/// Updates a counter that does not exist, so the commit always conflicts.
struct Conflict;

impl Counters {
    fn new(mongo: &Mongo) -> Self {
        let options = CollectionOptions::builder()
            .read_concern(ReadConcern::majority())
            .build();
        Self(mongo.database().collection_with_options(COUNTERS, options))
    }

    async fn read_all(&self) -> Result<HashMap<String, i64>, Error> {
        let mut found = self.0.find(doc! {}).await?;
        let mut counts = HashMap::new();
        while found.advance().await? {
            let counter = found.deserialize_current()?;
            let id = counter.get_str("_id").unwrap();
            let count = counter.get_i64("count").unwrap();
            counts.insert(id.to_owned(), count);
        }
        Ok(counts)
    }
}

impl Records for Counters {
    type Wanted = ();
    type Facts = HashMap<String, i64>;

    fn read(&self, (): ()) -> BoxFuture<'_, Result<HashMap<String, i64>, Error>> {
        Box::pin(self.read_all())
    }
}

impl RecordChange<Counters> for Conflict {
    type Done = ();

    fn want(&self, _wanted: &mut ()) {}

    fn plan(&self, _counts: &mut HashMap<String, i64>) -> Plan<()> {
        let filter = doc! { "_id": "absent" };
        let conflict = RecordWrite::Update {
            collection: COUNTERS,
            filter,
            update: doc! { "$set": { "a": 1 } },
        };
        Plan {
            writes: vec![conflict],
            ..Plan::answer(())
        }
    }
}

/// Panics when it is planned.
struct Panic;

impl RecordChange<Counters> for Panic {
    type Done = ();

    fn want(&self, _wanted: &mut ()) {}

    fn plan(&self, _counts: &mut HashMap<String, i64>) -> Plan<()> {
        panic!("this change always panics")
    }
}

impl RecordChange<Counters> for Increment {
    type Done = Option<(i64, PublishReceipt)>;

    fn want(&self, _wanted: &mut ()) {}

    fn plan(&self, counts: &mut HashMap<String, i64>) -> Plan<Self::Done> {
        if self.0 == "refused" {
            return Plan::answer(None);
        }
        plan_increment(&self.0, counts)
    }
}

/// Plans an increment, and applies it to `counts` for the changes after it.
fn plan_increment(
    id: &str,
    counts: &mut HashMap<String, i64>,
) -> Plan<Option<(i64, PublishReceipt)>> {
    let before = counts.get(id).copied();
    let count = before.unwrap_or(0) + 1;
    counts.insert(id.to_owned(), count);
    let write = match before {
        None => RecordWrite::Insert {
            collection: COUNTERS,
            document: doc! { "_id": id, "count": count },
        },
        Some(before) => RecordWrite::Update {
            collection: COUNTERS,
            filter: doc! { "_id": id, "count": before },
            update: doc! { "$set": { "count": count } },
        },
    };
    let event = NewEntry::event(
        [Room::Everyone],
        ("counted", json!({ "id": id, "count": count })),
    )
    .unwrap();
    let finish = move |receipts: &[PublishReceipt]| {
        let receipt = receipts[0];
        let answer = doc! { "_id": receipt.id.to_string(), "n": receipt.position.n() as i64 };
        let kept = RecordWrite::Insert {
            collection: "answer",
            document: answer,
        };
        Finished {
            done: Some((count, receipt)),
            writes: vec![kept],
        }
    };
    Plan {
        writes: vec![write],
        events: vec![event],
        finish: Box::new(finish),
    }
}

/// Opens a node's view of the database.
async fn node(uri: &str) -> (Mongo, MongoLog, Committer<Counters>) {
    let mongo = Mongo::open(uri, MongoOptions::default()).await.unwrap();
    let (log, committer) = MongoLog::with_records(&mongo, Retention::DISK, Counters::new(&mongo));
    log.ready().await.unwrap();
    (mongo, log, committer)
}

/// Increments counters on several nodes at once, and checks counts, events and receipts.
async fn check_concurrent_changes(server: &Mongod, nodes: usize) {
    const CHANGES: i64 = 30;
    let uri = server.uri_of_new_database();
    let mut writers = JoinSet::new();
    let (mongo, log, _) = node(&uri).await;
    for _ in 0..nodes {
        let (_, log, committer) = node(&uri).await;
        for writer in 0..6 {
            let log = log.clone();
            let committer = committer.clone();
            writers.spawn(async move {
                let mut done = Vec::new();
                for i in 0..CHANGES {
                    let id = ["a", "b", "c"][(writer + i) as usize % 3].to_owned();
                    let change = committer.commit(Increment(id.clone())).await.unwrap();
                    let (count, receipt) = change.unwrap();
                    // An acknowledged entry can be read at once.
                    let at = receipt.position.n();
                    assert_eq!(
                        log.read(None, at - 1, 1).await.unwrap().entries[0]
                            .content()
                            .id(),
                        receipt.id
                    );
                    assert!(
                        committer
                            .commit(Increment("refused".to_owned()))
                            .await
                            .unwrap()
                            .is_none()
                    );
                    done.push((id, count, receipt));
                }
                done
            });
        }
    }
    let done: Vec<_> = writers.join_all().await.concat();
    let total = nodes as i64 * 6 * CHANGES;
    let counts = Counters::new(&mongo).read_all().await.unwrap();
    assert_eq!(counts.values().sum::<i64>(), total);
    let entries = all_entries(&log).await;
    assert_eq!(entries.len() as i64, total);
    for (id, count, receipt) in done {
        let entry = &entries[receipt.position.n() as usize - 1];
        assert_eq!(entry.content().id(), receipt.id);
        assert_eq!(
            entry.content().payload().as_str(),
            json!({ "id": id, "count": count }).to_string()
        );
    }
    let answers = mongo.database().collection::<Document>("answer");
    assert_eq!(
        answers.count_documents(doc! {}).await.unwrap() as i64,
        total
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_of_several_nodes_add_up() {
    check_concurrent_changes(Mongod::replica_set(), 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_add_up_on_a_standalone_server_too() {
    check_concurrent_changes(Mongod::standalone(), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_always_conflicts_does_not_block_others() {
    let (_mongo, log, committer) = node(&Mongod::replica_set().uri_of_new_database()).await;
    let conflict = committer.commit(Conflict);
    let increments = (0..20).map(|_| committer.commit(Increment("a".to_owned())));
    let increments = futures_util::future::join_all(increments);
    let (conflict, increments) = tokio::join!(conflict, increments);
    assert!(
        matches!(conflict, Err(LogError::Unavailable(_))),
        "{conflict:?}"
    );
    let counts: Vec<_> = increments
        .into_iter()
        .filter_map(|done| Some(done.ok()??.0))
        .collect();
    assert!(counts.len() >= 15, "{counts:?}");
    assert_eq!(all_entries(&log).await.len(), 20);
}

/// Checks that a change which panics fails alone and before its caller times out.
async fn check_panic(server: &Mongod) {
    let (_mongo, log, committer) = node(&server.uri_of_new_database()).await;
    let logged = CapturedLog::start();
    let started = Instant::now();
    let increments = || {
        let increments = (0..10).map(|_| committer.commit(Increment("a".to_owned())));
        futures_util::future::join_all(increments)
    };
    let (before, panicked, after) =
        tokio::join!(increments(), committer.commit(Panic), increments());
    let took = started.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    let Err(LogError::Unavailable(error)) = panicked else {
        panic!("{panicked:?}");
    };
    assert!(error.to_string().contains("panicked"), "{error}");
    let done = before.into_iter().chain(after);
    let counts: Vec<_> = done.map(|done| done.unwrap().unwrap().0).collect();
    assert_eq!(counts, Vec::from_iter(1..=20));
    assert_eq!(all_entries(&log).await.len(), 20);
    let lines = logged.text();
    assert!(lines.contains("ERROR"), "{lines}");
    assert!(lines.contains("a change panicked"), "{lines}");
    assert!(!lines.contains("cannot be written to"), "{lines}");
}

// On one thread all changes wait when the committer starts, so they are in one batch.
#[tokio::test]
async fn a_change_that_panics_fails_alone() {
    check_panic(Mongod::replica_set()).await;
}

#[tokio::test]
async fn a_change_that_panics_fails_alone_on_a_standalone_server_too() {
    check_panic(Mongod::standalone()).await;
}
