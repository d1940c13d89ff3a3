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
    values::{Epoch, EventId, NodeId, time},
};

/// Ten seconds in ms.
const TEN_SECONDS: i64 = 10_000;

/// Returns a key of each kind, which clients on several nodes may share.
fn shared_keys() -> [DeviceKey; 2] {
    [
        key("u", Some("shared"), None),
        key("u", None, Some("shared")),
    ]
}

/// Returns a record under that key. All positions are of one epoch.
fn at(key: &DeviceKey, n: u64) -> Vec<(DeviceKey, DeviceRecord)> {
    let id = EventId::from_bytes([n as u8; 16]);
    let record = DeviceRecord {
        position: Position::new(Epoch::from_bits(1), n, id),
        connections: 2,
        connected: 1,
        ..record(n)
    };
    vec![(key.clone(), record)]
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
    for key in &shared_keys() {
        let one = open_node(&subject).await;
        let other = open_node(&subject).await;
        let saved = at(key, 10);
        save(&one, saved.clone()).await?;
        let elsewhere = claim(&other, key, Claimant::New).await?.elsewhere;
        let records: Vec<DeviceRecord> = saved.into_iter().map(|(_, record)| record).collect();
        equal(
            format_args!("the record of {key:?} of another node"),
            elsewhere,
            records,
        )?;
        save(&other, at(key, 20)).await?;
        has_smallest(&open_node(&subject).await, key, 10).await?;
        has_smallest(&one, key, 10).await?;
        save(&one, at(key, 30)).await?;
        has_smallest(&open_node(&subject).await, key, 20).await?;
    }
    Ok(())
}

pub(super) async fn taken_over<S: Subject>() -> Verdict {
    if !S::SHARED {
        return Ok(());
    }
    let subject = S::new();
    for key in &shared_keys() {
        let one = open_node(&subject).await;
        let other = open_node(&subject).await;
        leave(&one, at(key, 5)).await?;
        is_left(&other, key, &[5]).await?;
        is_left(&other, key, &[]).await?;
        has_smallest(&open_node(&subject).await, key, 5).await?;
        save(&other, at(key, 20)).await?;
        has_smallest(&open_node(&subject).await, key, 20).await?;
    }
    Ok(())
}

pub(super) async fn moved<S: Subject>() -> Verdict {
    if !S::SHARED {
        return Ok(());
    }
    let subject = S::new();
    for key in &shared_keys() {
        let one = open_node(&subject).await;
        save(&one, at(key, 5)).await?;
        let other = open_node(&subject).await;
        has_smallest(&other, key, 5).await?;
        let third = open_node(&subject).await;
        has_smallest(&third, key, 5).await?;
        // The client came to one of the other nodes. Its former connection is found dead.
        let mut silent = at(key, 5);
        silent[0].1.at -= TEN_SECONDS;
        silent[0].1.connections = 1;
        leave(&one, silent).await?;
        is_left(&other, key, &[]).await?;
        // Another client was alive on the node until it left.
        let mut heard = at(key, 7);
        heard[0].1.at = time::unix_ms() + TEN_SECONDS;
        leave(&one, heard).await?;
        is_left(&third, key, &[7]).await?;
    }
    Ok(())
}

/// Checks the smallest position of all records that a node claims.
async fn has_smallest(store: &impl DeviceStore, key: &DeviceKey, n: u64) -> Verdict {
    let found = load(store, key).await?;
    let smallest = found.map(|record| record.position.n());
    equal(
        format_args!("the record of {key:?} that is furthest behind"),
        smallest,
        Some(n),
    )
}

/// Checks the records that other nodes left to one that knows the client.
async fn is_left(store: &impl DeviceStore, key: &DeviceKey, due: &[u64]) -> Verdict {
    let left = claim(store, key, Claimant::Known).await?.left;
    let numbers: Vec<u64> = left.iter().map(|record| record.position.n()).collect();
    equal(
        format_args!("the record of {key:?} that was left"),
        &*numbers,
        due,
    )
}
