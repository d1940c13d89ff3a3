//! `MongoLog` by itself, on a replica set of one that is started for it: durable appends, and
//! changes of a record with what they tell, by one to three nodes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command of ours: what cannot be measured panics, and its tasks end with it"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventLog, NewEntry, PublishReceipt, Room,
    log::Retention,
    mongo::{
        Committer, Deployment, Finished, Mongo, MongoLog, Options, Plan, RecordWrite, Records,
    },
    testing::mongod::Mongod,
};
use mongodb::{bson::doc, error::Error};
use serde_json::json;
use tokio::task::JoinSet;

/// How long one thing is measured.
const TIME: Duration = Duration::from_secs(5);
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

/// About 300 bytes to four rooms: those that an `order_update` goes to.
fn entry(n: usize) -> NewEntry {
    let order: Room = format!("order-{:024x}", n / 6).parse().unwrap();
    let [customer, tailor] =
        [n % 5_000, n % 97].map(|user| format!("user-u{user}").parse().unwrap());
    let items =
        [json!({"garment": "kurta", "quantity": 2, "price": 45_000, "notes": "silk, to the knee"})];
    let document =
        json!({"_id": n, "status": "in_progress", "items": items, "text": "x".repeat(140)});
    NewEntry::event(
        [order, customer, tailor, "admin-room".parse().unwrap()],
        ("order_update", document),
    )
    .unwrap()
}

async fn appends(server: &Mongod, nodes: usize, entries: usize) {
    let uri = server.uri_of_new_database();
    let mut callers = JoinSet::new();
    let end = Instant::now() + TIME;
    for node in 0..nodes {
        let log = MongoLog::open(
            &Mongo::open(&uri, Options::default()).await.unwrap(),
            Retention::DISK,
        );
        log.ready().await.unwrap();
        for caller in 0..CALLERS {
            let log = log.clone();
            callers.spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < end {
                    let begun = Instant::now();
                    log.append((0..entries).map(|i| entry(caller + i)).collect())
                        .await
                        .unwrap();
                    took.push((node, begun.elapsed()));
                }
                took
            });
        }
    }
    say(
        &format!("appends of {entries}"),
        nodes,
        callers.join_all().await.concat(),
    );
}

/// As a change of an order's status is: a record, what it tells three people, the answer under its
/// key.
struct Orders;

impl Records for Orders {
    type Change = usize;
    type Done = ();

    fn plan<'a>(
        &'a self,
        changes: &'a [Arc<usize>],
    ) -> BoxFuture<'a, Result<Vec<Plan<()>>, Error>> {
        Box::pin(std::future::ready(Ok(changes
            .iter()
            .map(|n| change(**n))
            .collect())))
    }
}

fn change(n: usize) -> Plan<()> {
    let order = format!("{n:024x}");
    let update = RecordWrite::Update {
        collection: "orders",
        filter: doc! { "_id": order },
        update: doc! { "$set": { "status": "in_progress" }, "$inc": { "version": 1 } },
    };
    let told = (0..3).map(|_| RecordWrite::Insert {
        collection: "notifications",
        document: doc! { "_id": mongodb::bson::oid::ObjectId::new(), "text": "x".repeat(200) },
    });
    let writes = std::iter::once(update).chain(told).collect();
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

async fn changes(server: &Mongod, nodes: usize) {
    let uri = server.uri_of_new_database();
    let mut committers: Vec<Committer<Orders>> = Vec::new();
    for _ in 0..nodes {
        let mongo = Mongo::open(&uri, Options::default()).await.unwrap();
        let (log, committer) = MongoLog::with_records(&mongo, Retention::DISK, Orders);
        log.ready().await.unwrap();
        if committers.is_empty() {
            let orders =
                (0..nodes * CALLERS).map(|n| doc! { "_id": format!("{n:024x}"), "version": 0 });
            mongo
                .database()
                .collection("orders")
                .insert_many(orders)
                .await
                .unwrap();
            mongo
                .database()
                .create_collection("notifications")
                .await
                .unwrap();
            mongo.database().create_collection("answers").await.unwrap();
        }
        committers.push(committer);
    }
    let mut callers = JoinSet::new();
    let end = Instant::now() + TIME;
    for (node, committer) in committers.iter().enumerate() {
        for caller in 0..CALLERS {
            let committer = committer.clone();
            callers.spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < end {
                    let begun = Instant::now();
                    committer.commit(node * CALLERS + caller).await.unwrap();
                    took.push((node, begun.elapsed()));
                }
                took
            });
        }
    }
    say("status changes", nodes, callers.join_all().await.concat());
}

fn say(what: &str, nodes: usize, mut took: Vec<(usize, Duration)>) {
    took.sort_unstable_by_key(|(_, took)| *took);
    let per_second = |count: usize| count as f64 / TIME.as_secs_f64();
    let each: Vec<_> = (0..nodes)
        .map(|node| {
            format!(
                "{:.0}",
                per_second(took.iter().filter(|(by, _)| *by == node).count())
            )
        })
        .collect();
    let at = |part: f64| {
        took.get((took.len() as f64 * part) as usize)
            .map_or(Duration::ZERO, |(_, took)| *took)
    };
    println!(
        "{what}, {nodes} nodes: {:.0}/s ({}), p50 {:?}, p99 {:?}",
        per_second(took.len()),
        each.join(" + "),
        at(0.5),
        at(0.99),
    );
}
