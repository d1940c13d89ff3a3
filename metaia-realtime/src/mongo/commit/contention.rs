//! Contention for the head with other nodes: how a node gets its turn, and how it removes the
//! transactions of dead nodes.
//!
//! A node that was killed, or that cannot reach the server any more, leaves its transaction open.
//! The server keeps such a transaction for a minute, and so long the documents that it has written
//! are locked, above all the head.
//!
//! A transaction of this module takes milliseconds. One that has been idle for longer than a
//! second, while others wait, is aborted; a node that is still alive notices that and tries again.
//! Transactions are found by the application's name (`appName` of the connection string), so all
//! nodes must have the same one.

use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

use crate::mongo::{
    Mongo,
    bson::from_uuid,
    fault::MongoFault,
    head::{HEAD, KEY},
    options::OPERATION_TIMEOUT,
};

/// The time that a transaction may be idle.
const MAX_IDLE: Duration = Duration::from_secs(1);

/// Aborts idle transactions of this application, and returns their number.
pub(super) async fn abort_idle_transactions(mongo: &Mongo) -> Result<usize, MongoFault> {
    let admin = mongo.client().database("admin");
    let max_idle = i64::try_from(MAX_IDLE.as_micros()).unwrap_or(i64::MAX);
    let idle = doc! {
        "type": "idleSession",
        "appName": mongo.app_name(),
        "transaction.timeInactiveMicros": { "$gt": max_idle },
        "transaction.parameters.autocommit": false,
    };
    let pipeline = [
        doc! { "$currentOp": { "idleSessions": true } },
        doc! { "$match": idle },
    ];
    let command = doc! { "aggregate": 1, "pipeline": &pipeline[..], "cursor": {} };
    let work = async move {
        let found = admin.run_command(command).await?;
        let sessions = session_ids(&found);
        if !sessions.is_empty() {
            let kill = doc! { "killSessions": &sessions };
            admin.run_command(kill).await?;
        }
        Ok::<_, MongoFault>(sessions.len())
    };
    mongo.run(OPERATION_TIMEOUT, work).await
}

/// Asks the next committer that writes the head to let others through afterwards. Returns when no
/// transaction holds the head any more: the server makes this update wait for one.
pub(super) async fn request_turn(mongo: &Mongo, me: Uuid) -> Result<(), MongoFault> {
    let database = mongo.database().clone();
    let update = doc! { "q": { "_id": KEY }, "u": { "$set": { "asking": from_uuid(me) } } };
    let limit = i64::try_from(MAX_IDLE.as_millis()).unwrap_or(i64::MAX);
    let command = doc! { "update": HEAD, "updates": [update], "maxTimeMS": limit };
    let work = async move { database.run_command(command).await.map(drop) };
    mongo.run(OPERATION_TIMEOUT, work).await
}

/// Returns the ids of the sessions in a reply of `$currentOp`.
fn session_ids(found: &Document) -> Vec<Bson> {
    let operations = found
        .get_document("cursor")
        .and_then(|cursor| cursor.get_array("firstBatch"));
    match operations {
        Ok(operations) => operations.iter().filter_map(session_id).collect(),
        Err(_) => Vec::new(),
    }
}

fn session_id(operation: &Bson) -> Option<Bson> {
    let session = operation.as_document()?.get_document("lsid").ok()?;
    let id = session.get("id")?.clone();
    Some(doc! { "id": id }.into())
}
