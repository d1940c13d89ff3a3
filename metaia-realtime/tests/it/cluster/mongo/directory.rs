//! The directory in MongoDB keeps its contract, and removes the records of dead nodes.

use std::time::Duration;

use metaia_realtime::{
    MemoryLog, Role,
    mongo::{Mongo, MongoDirectory, MongoOptions},
    presence::{Directory, FORMAT, NodeView, SessionQuery},
    testing::{TestServer, directory_contract, mongod::Mongod, within},
    values::NodeId,
};
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::support::raw_socket::RawSocket;

/// The URI of a database on a replica set.
struct ReplicaSet(String);

impl directory_contract::Subject for ReplicaSet {
    type Directory = MongoDirectory;

    fn new() -> Self {
        Self(Mongod::replica_set().uri_of_new_database())
    }

    async fn open(&self) -> MongoDirectory {
        MongoDirectory::new(&open_mongo(&self.0).await)
    }
}

mod replica_set {
    metaia_realtime::directory_contract!(super::ReplicaSet);
}

/// The URI of a database on a standalone server.
struct Standalone(String);

impl directory_contract::Subject for Standalone {
    type Directory = MongoDirectory;

    fn new() -> Self {
        Self(Mongod::standalone().uri_of_new_database())
    }

    async fn open(&self) -> MongoDirectory {
        MongoDirectory::new(&open_mongo(&self.0).await)
    }
}

mod standalone {
    metaia_realtime::directory_contract!(super::Standalone);
}

async fn open_mongo(uri: &str) -> Mongo {
    Mongo::open(uri, MongoOptions::default()).await.unwrap()
}

async fn count_documents(mongo: &Mongo, collection: &str) -> u64 {
    mongo
        .database()
        .collection::<Document>(collection)
        .count_documents(doc! {})
        .await
        .unwrap()
}

async fn node(mongo: &Mongo) -> TestServer {
    let directory = MongoDirectory::new(mongo);
    TestServer::start(|builder| builder.log(MemoryLog::default()).directory(directory)).await
}

/// Waits until the node sees `count` sessions.
async fn sees(server: &TestServer, count: usize) {
    within("the sessions", async {
        while server
            .realtime()
            .sessions(&SessionQuery::default())
            .await
            .unwrap()
            .sessions
            .len()
            != count
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_are_announced_again_after_the_database_is_dropped() {
    let mongo = open_mongo(&Mongod::replica_set().uri_of_new_database()).await;
    let here = node(&mongo).await;
    let there = node(&mongo).await;
    let _line = RawSocket::connect_until_ready(&there, Role::Customer, "c1", json!({})).await;
    sees(&here, 1).await;
    mongo.database().drop().await.unwrap();
    sees(&here, 0).await;
    sees(&here, 1).await;
    there.stop().await;
    sees(&here, 0).await;
    assert_eq!(count_documents(&mongo, "rt_session").await, 0);
}

#[tokio::test]
async fn records_of_dead_nodes_are_removed_and_foreign_documents_are_ignored() {
    let mongo = open_mongo(&Mongod::replica_set().uri_of_new_database()).await;
    let dead_nodes = MongoDirectory::new(&mongo);
    let living_nodes = MongoDirectory::new(&mongo);
    let view = |sessions| NodeView {
        id: NodeId::random(),
        since: 0,
        sessions,
        format: FORMAT,
    };
    let dead = view(1);
    let alive = view(2);
    dead_nodes
        .begin(&dead, Duration::from_millis(1))
        .await
        .unwrap();
    living_nodes
        .begin(&alive, Duration::from_secs(60))
        .await
        .unwrap();
    let sessions = mongo.database().collection::<Document>("rt_session");
    let foreign =
        ["unknown term", "another"].map(|term| doc! { "term": term, "rooms": "none", "id": 7 });
    sessions.insert_many(foreign).await.unwrap();
    sessions
        .insert_one(doc! { "what": "is this" })
        .await
        .unwrap();
    mongo
        .database()
        .collection::<Document>("rt_node")
        .insert_one(doc! { "expires": "never" })
        .await
        .unwrap();
    assert_eq!(
        living_nodes.nodes().await.unwrap(),
        std::slice::from_ref(&alive)
    );
    for _ in 0..3 {
        assert!(
            living_nodes
                .renew(&alive, Duration::from_secs(60))
                .await
                .unwrap()
        );
    }
    assert_eq!(
        living_nodes
            .sessions(&SessionQuery::default())
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        count_documents(&mongo, "rt_session").await,
        1,
        "the document without a term stays: no node has written it"
    );
    assert!(
        !dead_nodes
            .renew(&dead, Duration::from_secs(60))
            .await
            .unwrap()
    );
}
