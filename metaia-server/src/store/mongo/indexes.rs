//! The indexes, made in the background: nothing is wrong without them, only slow.
//!
//! None of them is unique. What must be unique is decided by the committers, whose batches have one
//! order; a unique index over documents of others could not be made where they are not.

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
use crate::store::Claim;

/// Between two attempts: the first, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// How long to wait for those of one collection. A large one goes on being indexed when nobody
/// waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long events of the provider are remembered: they carry no time and could be sent again for
/// ever.
const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Clocks differ: an answer is only forgotten when it has ended on every node.
const CLOCKS: Duration = Duration::from_secs(60 * 60);

/// Between two looks whether they are still there: somebody may have dropped the database.
const AGAIN: Duration = Duration::from_secs(10 * 60);

/// Makes them, tries again until it is done, and looks now and then, until the store is closed. It
/// is said once that they could not be made, and that they were at last.
pub(super) async fn make(mongo: Mongo, closing: CancellationToken) {
    let (mut pause, mut failing) = (PAUSE.0, false);
    loop {
        let wait = match make_all(&mongo).await {
            Ok(()) => {
                if failing {
                    tracing::info!("the indexes of the records are made");
                }
                (pause, failing) = (PAUSE.0, false);
                AGAIN
            }
            Err(error) => {
                if !failing {
                    let cause = crate::http::problem::chain(&error);
                    tracing::warn!(
                        cause,
                        "the indexes of the records cannot be made yet: trying again"
                    );
                }
                failing = true;
                let wait = pause;
                pause = (pause * 2).min(PAUSE.1);
                wait
            }
        };
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Each by itself: one that cannot be made keeps none of the others from being made.
pub(super) async fn make_all(mongo: &Mongo) -> Result<(), LogError> {
    let mut made = Ok(());
    for (collection, indexes) in wanted() {
        for index in indexes {
            let documents = mongo.database().collection::<Document>(collection);
            let one = async move {
                match documents.create_index(index).await {
                    Err(error) if is_there_otherwise(&error) => Ok(()),
                    other => other.map(drop),
                }
            };
            made = made.and(mongo.within(PATIENCE, one).await);
        }
    }
    made
}

/// Whether the same keys are indexed already, with options of somebody else's.
fn is_there_otherwise(error: &Error) -> bool {
    /// `IndexOptionsConflict`, `IndexKeySpecsConflict`.
    const CODES: [i32; 2] = [85, 86];
    matches!(&*error.kind, ErrorKind::Command(command) if CODES.contains(&command.code))
}

fn wanted() -> [(&'static str, Vec<IndexModel>); 5] {
    let life = Duration::from_millis(Claim::LIFE_MS.unsigned_abs());
    [
        // Lists are by time; the equal part of each filter comes first.
        (
            ORDERS,
            vec![
                plain(doc! { "createdAt": 1, "_id": 1 }),
                plain(doc! { "status": 1, "createdAt": 1, "_id": 1 }),
                plain(doc! { "customer": 1, "createdAt": 1, "_id": 1 }),
                plain(doc! { "tailor": 1, "createdAt": 1, "_id": 1 }),
                plain(doc! { "deliveryPartner": 1, "createdAt": 1, "_id": 1 }),
                // The rooms of a tailor's open orders.
                plain(doc! { "tailor": 1, "status": 1 }),
                // Whether a number is taken.
                plain(doc! { "orderNumber": 1 }),
            ],
        ),
        // The second also counts what is unread, without reading a document.
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
            ],
        ),
        // These two end by themselves.
        (PROVIDER_EVENTS, vec![ending(REMEMBERED)]),
        (CLAIMS, vec![ending(life + CLOCKS)]),
    ]
}

fn plain(keys: Document) -> IndexModel {
    named(keys, None)
}

fn ending(after: Duration) -> IndexModel {
    named(doc! { "at": 1 }, Some(after))
}

/// Under a name of ours: by the usual names of indexes others may have unique ones.
fn named(keys: Document, expire_after: Option<Duration>) -> IndexModel {
    let fields: Vec<&str> = keys.keys().map(String::as_str).collect();
    let name = format!("metaia_{}", fields.join("_"));
    let options = IndexOptions::builder()
        .name(name)
        .expire_after(expire_after)
        .build();
    IndexModel::builder().keys(keys).options(options).build()
}
