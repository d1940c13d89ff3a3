//! The checks of the clauses for a store that several nodes share.

use super::{
    checks::{claim, leave, load, save},
    sample::{key, record},
    subject::Subject,
};
use crate::{
    Position,
    device::{Claimant, DeviceKey, DeviceRecord, DeviceStore},
    testing::contract::{Verdict, equal},
    values::{Epoch, EventId, NodeId},
};

/// The key of a token, which phones on several nodes may share.
fn token_key() -> DeviceKey {
    key("u", None, Some("shared"))
}

/// Returns a record under that key. All positions are of one epoch.
fn at(n: u64) -> Vec<(DeviceKey, DeviceRecord)> {
    let id = EventId::from_bytes([n as u8; 16]);
    let record = DeviceRecord {
        position: Position::new(Epoch::from_bits(1), n, id),
        ..record(n)
    };
    vec![(token_key(), record)]
}

/// Opens the store for a new node.
async fn open_node<S: Subject>(subject: &S) -> S::Store {
    let store = subject.open().await;
    store.serve(NodeId::random());
    store
}

pub(super) async fn apiece<S: Subject>() -> Verdict {
    if !S::SHARED {
        return Ok(());
    }
    let subject = S::new();
    let one = open_node(&subject).await;
    let other = open_node(&subject).await;
    save(&one, at(10)).await?;
    has_smallest(&other, 10).await?;
    save(&other, at(20)).await?;
    has_smallest(&open_node(&subject).await, 10).await?;
    has_smallest(&one, 10).await?;
    save(&one, at(30)).await?;
    has_smallest(&open_node(&subject).await, 20).await
}

pub(super) async fn taken_over<S: Subject>() -> Verdict {
    if !S::SHARED {
        return Ok(());
    }
    let subject = S::new();
    let one = open_node(&subject).await;
    let other = open_node(&subject).await;
    leave(&one, at(5)).await?;
    is_left(&other, &[5]).await?;
    is_left(&other, &[]).await?;
    has_smallest(&open_node(&subject).await, 5).await?;
    save(&other, at(20)).await?;
    has_smallest(&open_node(&subject).await, 20).await
}

/// Checks the smallest position of all records that a node claims.
async fn has_smallest(store: &impl DeviceStore, n: u64) -> Verdict {
    let found = load(store, &token_key()).await?;
    let smallest = found.map(|record| record.position.n());
    equal(
        "the record of the token that is furthest behind",
        smallest,
        Some(n),
    )
}

/// Checks the records that other nodes left to one that knows the client.
async fn is_left(store: &impl DeviceStore, due: &[u64]) -> Verdict {
    let left = claim(store, &token_key(), Claimant::Known).await?.left;
    let numbers: Vec<u64> = left.iter().map(|record| record.position.n()).collect();
    equal("the record of the token that was left", &*numbers, due)
}
