//! Measures `MongoLog` by itself, on a replica set of one member that is started for it: durable
//! appends, and changes of a record with their events, by one to three nodes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "our own command: it panics if it cannot measure, and its tasks end with it"
)]

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventLog, NewEntry, PublishReceipt, Room,
    log::Retention,
    mongo::{
        Committer, Deployment, Finished, Mongo, MongoLog, MongoOptions, Plan, RecordChange,
        RecordWrite, Records,
    },
    testing::mongod::Mongod,
};
use mongodb::{bson::doc, error::Error};
use serde_json::json;
use tokio::task::JoinSet;

/// The duration of one measurement.
const MEASUREMENT: Duration = Duration::from_secs(5);
/// Callers of each node.
const CALLERS: usize = 256;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Mongod::start(Deployment::ReplicaSet);
    runtime.block_on(async {
        for nodes in 1..=3 {
            appends(&server, nodes, 1).await;
        }
        appends(&server, 1, 16).await;
        for nodes in 1..=3 {
            changes(&server, nodes).await;
        }
    });
}

/// Returns an entry of about 300 bytes to four rooms, those that an `order_update` goes to.
fn entry(n: usize) -> NewEntry {
    let order: Room = format!("order-{:024x}", n / 6).parse().unwrap();
    let [customer, tailor] =
        [n % 5_000, n % 97].map(|user| format!("user-u{user}").parse().unwrap());
    let document = json!({
        "_id": n,
        "status": "in_progress",
        "items": [{
            "garment": "kurta",
            "quantity": 2,
            "price": 45_000,
            "notes": "silk, to the knee",
        }],
        "text": "x".repeat(140),
    });
    NewEntry::event(
        [order, customer, tailor, "admin-room".parse().unwrap()],
        ("order_update", document),
    )
    .unwrap()
}

async fn appends(server: &Mongod, nodes: usize, entries: usize) {
    let uri = server.uri_of_new_database();
    let mut callers = JoinSet::new();
    let end = Instant::now() + MEASUREMENT;
    for node in 0..nodes {
        let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
        let log = MongoLog::open(&mongo, Retention::DISK);
        log.ready().await.unwrap();
        for caller in 0..CALLERS {
            let log = log.clone();
            callers.spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < end {
                    let begun = Instant::now();
                    let batch = (0..entries).map(|i| entry(caller + i)).collect();
                    log.append(batch).await.unwrap();
                    took.push((node, begun.elapsed()));
                }
                took
            });
        }
    }
    let took = callers.join_all().await.concat();
    print_rates(&format!("appends of {entries}"), nodes, took);
}

/// The records of an order's status change: the order, three notifications, and the stored reply
/// under its key.
struct Orders;

impl Records for Orders {
    type Wanted = ();
    type Facts = ();

    fn read(&self, (): ()) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The change of an order's status.
struct StatusChange(usize);

impl RecordChange<Orders> for StatusChange {
    type Done = ();

    fn want(&self, _wanted: &mut ()) {}

    fn plan(&self, _facts: &mut ()) -> Plan<()> {
        status_change(self.0)
    }
}

fn status_change(n: usize) -> Plan<()> {
    let order = format!("{n:024x}");
    let update = RecordWrite::Update {
        collection: "orders",
        filter: doc! { "_id": order },
        update: doc! { "$set": { "status": "in_progress" }, "$inc": { "version": 1 } },
    };
    let notifications = (0..3).map(|_| RecordWrite::Insert {
        collection: "notifications",
        document: doc! { "_id": mongodb::bson::oid::ObjectId::new(), "text": "x".repeat(200) },
    });
    let writes = std::iter::once(update).chain(notifications).collect();
    let events = (0..4).map(|i| entry(n + i)).collect();
    let finish = |receipts: &[PublishReceipt]| {
        let document = doc! { "_id": receipts[0].id.to_string(), "answer": "x".repeat(300) };
        Finished {
            done: (),
            writes: vec![RecordWrite::Insert {
                collection: "answers",
                document,
            }],
        }
    };
    Plan {
        writes,
        events,
        finish: Box::new(finish),
    }
}

async fn create_records(mongo: &Mongo, count: usize) {
    let database = mongo.database();
    let orders = (0..count).map(|n| doc! { "_id": format!("{n:024x}"), "version": 0 });
    database
        .collection("orders")
        .insert_many(orders)
        .await
        .unwrap();
    // Created beforehand: a transaction that creates a collection would be measured too.
    database.create_collection("notifications").await.unwrap();
    database.create_collection("answers").await.unwrap();
}

async fn changes(server: &Mongod, nodes: usize) {
    let uri = server.uri_of_new_database();
    let mut committers: Vec<Committer<Orders>> = Vec::new();
    for _ in 0..nodes {
        let mongo = Mongo::open(&uri, MongoOptions::default()).await.unwrap();
        let (log, committer) = MongoLog::with_records(&mongo, Retention::DISK, Orders);
        log.ready().await.unwrap();
        if committers.is_empty() {
            create_records(&mongo, nodes * CALLERS).await;
        }
        committers.push(committer);
    }
    let mut callers = JoinSet::new();
    let end = Instant::now() + MEASUREMENT;
    for (node, committer) in committers.iter().enumerate() {
        for caller in 0..CALLERS {
            let committer = committer.clone();
            callers.spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < end {
                    let begun = Instant::now();
                    let change = StatusChange(node * CALLERS + caller);
                    committer.commit(change).await.unwrap();
                    took.push((node, begun.elapsed()));
                }
                took
            });
        }
    }
    let took = callers.join_all().await.concat();
    print_rates("status changes", nodes, took);
}

/// Prints the rates and latencies. `took` has the node and the duration of each call.
fn print_rates(what: &str, nodes: usize, mut took: Vec<(usize, Duration)>) {
    took.sort_unstable_by_key(|(_, took)| *took);
    let per_second = |count: usize| count as f64 / MEASUREMENT.as_secs_f64();
    let mut rates = Vec::new();
    for node in 0..nodes {
        let calls = took.iter().filter(|(by, _)| *by == node).count();
        rates.push(format!("{:.0}", per_second(calls)));
    }
    let quantile = |part: f64| {
        let index = (took.len() as f64 * part) as usize;
        took.get(index).map_or(Duration::ZERO, |(_, took)| *took)
    };
    println!(
        "{what}, {nodes} nodes: {:.0}/s ({}), p50 {:?}, p99 {:?}",
        per_second(took.len()),
        rates.join(" + "),
        quantile(0.5),
        quantile(0.99),
    );
}
