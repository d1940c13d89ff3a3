//! The indexes, created in the background: without them queries are correct but slow.
//!
//! None of them is unique. The committers enforce uniqueness, because their batches have one order;
//! a unique index could not be created over documents of other programs that violate it.

use std::time::Duration;

use metaia_realtime::{log::LogError, mongo::Mongo};
use mongodb::{
    IndexModel,
    bson::{Document, doc},
    error::{Error, ErrorKind},
    options::IndexOptions,
};
use tokio_util::sync::CancellationToken;

use super::document::{CLAIMS, NOTIFICATIONS, ORDERS, PAYMENTS, PROVIDER_EVENTS};
use crate::{error_chain::chain, store::IdempotencyClaim};

/// The pause after the first failed attempt. It doubles up to [`MAX_RETRY_PAUSE`].
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(10);

/// The time to wait for one index. The server goes on building a large one after it.
const INDEX_TIMEOUT: Duration = Duration::from_secs(60);

/// The time for which ids of the provider's events are kept. The events carry no time, and so could
/// be replayed at any time.
const EVENT_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The difference between the nodes' clocks that is allowed for: a reply is deleted only after its
/// claim has expired on every node.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);

/// The time between two checks that the indexes still exist: an operator may have dropped the
/// database.
const CHECK_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Creates the indexes, retries until that succeeds, and checks them every [`CHECK_INTERVAL`] until
/// the store is closed. Logs the first failure, and the success after it.
pub(super) async fn keep(mongo: Mongo, closing: CancellationToken) {
    let mut retry_pause = RETRY_PAUSE;
    let mut failing = false;
    loop {
        let result = create_all(&mongo).await;
        log_result(&result, failing);
        failing = result.is_err();
        let pause = if failing {
            let pause = retry_pause;
            retry_pause = (retry_pause * 2).min(MAX_RETRY_PAUSE);
            pause
        } else {
            retry_pause = RETRY_PAUSE;
            CHECK_INTERVAL
        };
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn log_result(result: &Result<(), LogError>, was_failing: bool) {
    match result {
        Ok(()) if was_failing => tracing::info!("the indexes of the records were created"),
        Err(error) if !was_failing => {
            let cause = chain(error);
            tracing::warn!(
                cause,
                "the indexes of the records cannot be created yet: retrying"
            );
        }
        _ => {}
    }
}

/// Creates each index separately, so that one failure does not prevent the others. Returns the
/// first failure.
pub(super) async fn create_all(mongo: &Mongo) -> Result<(), LogError> {
    let mut result = Ok(());
    for (collection, indexes) in wanted() {
        for index in indexes {
            let created = create(mongo, collection, index).await;
            result = result.and(created);
        }
    }
    result
}

async fn create(mongo: &Mongo, collection: &str, index: IndexModel) -> Result<(), LogError> {
    let documents = mongo.database().collection::<Document>(collection);
    let options = mongo.deployment().await?.index_options();
    let create = async move {
        match documents.create_index(index).with_options(options).await {
            Err(error) if is_indexed_already(&error) => Ok(()),
            other => other.map(drop),
        }
    };
    mongo.within(INDEX_TIMEOUT, create).await
}

/// Returns whether the same keys are indexed already, with another name or other options.
fn is_indexed_already(error: &Error) -> bool {
    /// `IndexOptionsConflict`, `IndexKeySpecsConflict`.
    const CODES: [i32; 2] = [85, 86];
    matches!(&*error.kind, ErrorKind::Command(command) if CODES.contains(&command.code))
}

fn wanted() -> [(&'static str, Vec<IndexModel>); 5] {
    let claim_life = Duration::from_millis(IdempotencyClaim::LIFE_MS.unsigned_abs());
    [
        // Lists are sorted by time; the fields that a filter compares for equality come first.
        (
            ORDERS,
            vec![
                plain(doc! { "createdAt": 1, "_id": 1 }),
                plain(doc! { "status": 1, "createdAt": 1, "_id": 1 }),
                plain(doc! { "customer": 1, "createdAt": 1, "_id": 1 }),
                plain(doc! { "tailor": 1, "createdAt": 1, "_id": 1 }),
                plain(doc! { "deliveryPartner": 1, "createdAt": 1, "_id": 1 }),
                // For the rooms of a tailor's orders that are under way: the last changed ones of
                // each status, without reading a document. Nodes of earlier versions have one
                // without `updatedAt`, which stays.
                plain(doc! { "tailor": 1, "status": 1, "updatedAt": 1, "_id": 1 }),
                // To check that a number is free.
                plain(doc! { "orderNumber": 1 }),
            ],
        ),
        // The second index also counts unread notifications, without reading a document.
        (
            NOTIFICATIONS,
            vec![
                plain(doc! { "user": 1, "createdAt": 1, "_id": 1 }),
                plain(doc! { "user": 1, "read": 1, "createdAt": 1, "_id": 1 }),
            ],
        ),
        (
            PAYMENTS,
            vec![
                plain(doc! { "order": 1, "status": 1 }),
                plain(doc! { "razorpayOrderId": 1 }),
                plain(doc! { "createdAt": 1, "_id": 1 }),
                plain(doc! { "flagged": 1, "createdAt": 1, "_id": 1 }),
            ],
        ),
        // The server deletes the documents of these two after their life.
        (PROVIDER_EVENTS, vec![expiring(EVENT_LIFE)]),
        (CLAIMS, vec![expiring(claim_life + MAX_CLOCK_SKEW)]),
    ]
}

fn plain(keys: Document) -> IndexModel {
    named(keys, None)
}

fn expiring(after: Duration) -> IndexModel {
    named(doc! { "at": 1 }, Some(after))
}

/// Returns an index under our own name: other programs may have unique indexes under the default
/// names.
fn named(keys: Document, expire_after: Option<Duration>) -> IndexModel {
    let fields: Vec<&str> = keys.keys().map(String::as_str).collect();
    let name = format!("metaia_{}", fields.join("_"));
    let options = IndexOptions::builder()
        .name(name)
        .expire_after(expire_after)
        .build();
    IndexModel::builder().keys(keys).options(options).build()
}
