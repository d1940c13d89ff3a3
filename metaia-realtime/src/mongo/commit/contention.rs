//! Others that are in the way.
//!
//! Transactions that nobody goes on with: their process was killed, or cannot reach the server any
//! more. The server keeps them for a minute, and what they have written is locked so long, the head
//! above all.
//!
//! A transaction of ours takes milliseconds. One that does nothing for longer than a second, while
//! others wait, is ended: whoever it was finds it lost, and tries again. They are known by the
//! application's name (`appName` of the connection string): that must be the same on all nodes.

use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

use crate::mongo::{
    Mongo,
    fault::Fault,
    handle::PATIENCE,
    head::{HEAD, KEY, of_uuid},
};

/// How long a transaction may rest.
const REST: Duration = Duration::from_secs(1);

/// Ends those that rest. Answers how many.
pub(super) async fn end(mongo: &Mongo) -> Result<usize, Fault> {
    let admin = mongo.client().database("admin");
    let resting = doc! {
        "type": "idleSession",
        "appName": mongo.app(),
        "transaction.timeInactiveMicros": { "$gt": i64::try_from(REST.as_micros()).unwrap_or(i64::MAX) },
        "transaction.parameters.autocommit": false,
    };
    let pipeline = [
        doc! { "$currentOp": { "idleSessions": true } },
        doc! { "$match": resting },
    ];
    let command = doc! { "aggregate": 1, "pipeline": &pipeline[..], "cursor": {} };
    mongo
        .run(PATIENCE, async move {
            let found = admin.run_command(command).await?;
            let sessions = sessions(&found);
            if !sessions.is_empty() {
                admin
                    .run_command(doc! { "killSessions": &sessions })
                    .await?;
            }
            Ok::<_, Fault>(sessions.len())
        })
        .await
}

/// Asks whoever writes the head next to let others by afterwards. Returns when nobody is about to
/// write it any more.
pub(super) async fn ask(mongo: &Mongo, me: Uuid) -> Result<(), Fault> {
    let database = mongo.database().clone();
    let update = doc! { "q": { "_id": KEY }, "u": { "$set": { "asking": of_uuid(me) } } };
    let limit = i64::try_from(REST.as_millis()).unwrap_or(i64::MAX);
    let command = doc! { "update": HEAD, "updates": [update], "maxTimeMS": limit };
    mongo
        .run(PATIENCE, async move {
            database.run_command(command).await.map(drop)
        })
        .await
}

/// Their ids.
fn sessions(found: &Document) -> Vec<Bson> {
    let batch = found
        .get_document("cursor")
        .and_then(|cursor| cursor.get_array("firstBatch"));
    let id = |operation: &Bson| {
        let session = operation.as_document()?.get_document("lsid").ok()?;
        Some(doc! { "id": session.get("id")?.clone() }.into())
    };
    batch
        .map(|operations| operations.iter().filter_map(id).collect())
        .unwrap_or_default()
}
