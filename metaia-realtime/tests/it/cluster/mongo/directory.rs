//! The directory in MongoDB keeps the contract, and leaves nothing behind.

use std::time::Duration;

use metaia_realtime::{
    MemoryLog, Role,
    mongo::{Mongo, MongoDirectory, Options},
    presence::{Directory, NodeView, SessionQuery},
    testing::{TestServer, directory_contract, mongod::Mongod, within},
    values::NodeId,
};
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::support::raw_socket::Line;

struct OfReplicaSet(String);

impl directory_contract::Subject for OfReplicaSet {
    type Directory = MongoDirectory;

    fn new() -> Self {
        Self(Mongod::replica_set().uri_of_new_database())
    }

    async fn open(&self) -> MongoDirectory {
        MongoDirectory::new(&mongo(&self.0).await)
    }
}

mod replica_set {
    metaia_realtime::directory_contract!(super::OfReplicaSet);
}

struct Standalone(String);

impl directory_contract::Subject for Standalone {
    type Directory = MongoDirectory;

    fn new() -> Self {
        Self(Mongod::standalone().uri_of_new_database())
    }

    async fn open(&self) -> MongoDirectory {
        MongoDirectory::new(&mongo(&self.0).await)
    }
}

mod standalone {
    metaia_realtime::directory_contract!(super::Standalone);
}

async fn mongo(uri: &str) -> Mongo {
    Mongo::open(uri, Options::default()).await.unwrap()
}

async fn count(mongo: &Mongo, collection: &str) -> u64 {
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

async fn sees(server: &TestServer, sessions: usize) {
    within("the sessions", async {
        while server
            .realtime()
            .sessions(&SessionQuery::default())
            .await
            .unwrap()
            .sessions
            .len()
            != sessions
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_dropped_is_told_all_again() {
    let mongo = mongo(&Mongod::replica_set().uri_of_new_database()).await;
    let (here, there) = (node(&mongo).await, node(&mongo).await);
    let _line = Line::connect(&there, Role::Customer, "c1", json!({})).await;
    sees(&here, 1).await;
    mongo.database().drop().await.unwrap();
    sees(&here, 0).await;
    sees(&here, 1).await;
    there.stop().await;
    sees(&here, 0).await;
    assert_eq!(count(&mongo, "rt_session").await, 0);
}

#[tokio::test]
async fn what_dead_nodes_leave_behind_is_removed_and_foreign_documents_are_passed_over() {
    let mongo = mongo(&Mongod::replica_set().uri_of_new_database()).await;
    let (dies, lives) = (MongoDirectory::new(&mongo), MongoDirectory::new(&mongo));
    let view = |sessions| NodeView {
        id: NodeId::random(),
        since: 0,
        sessions,
    };
    let (dead, alive) = (view(1), view(2));
    dies.begin(&dead, Duration::from_millis(1)).await.unwrap();
    lives.begin(&alive, Duration::from_secs(60)).await.unwrap();
    let sessions = mongo.database().collection::<Document>("rt_session");
    let foreign = ["no term of anybody", "another"]
        .map(|term| doc! { "term": term, "rooms": "none", "id": 7 });
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
    assert_eq!(lives.nodes().await.unwrap(), std::slice::from_ref(&alive));
    for _ in 0..3 {
        assert!(lives.renew(&alive, Duration::from_secs(60)).await.unwrap());
    }
    assert_eq!(lives.sessions(&SessionQuery::default()).await.unwrap(), []);
    assert_eq!(
        count(&mongo, "rt_session").await,
        1,
        "what has no term was never a node's"
    );
    assert!(!dies.renew(&dead, Duration::from_secs(60)).await.unwrap());
}
