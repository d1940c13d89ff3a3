//! The check of each clause.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    sample::{key, keys, record, records},
    subject::Subject,
};
use crate::{
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS,
        RECORDS_PER_USER,
    },
    testing::contract::{Verdict, equal},
    values::time,
};

/// A record under its key.
pub(super) type Saved = (DeviceKey, DeviceRecord);

/// A minute in ms.
const MINUTE: i64 = 60 * 1000;

pub(super) async fn saved<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let records: Vec<_> = keys().into_iter().zip(records()).collect();
    for (key, _) in &records {
        is(&store, key, None).await?;
    }
    save(&store, Vec::new()).await?;
    save(&store, records.clone()).await?;
    has(&store, &records).await
}

pub(super) async fn replaced<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let keys = keys();
    let saved = |key: usize, record: &DeviceRecord| (keys[key].clone(), record.clone());
    let [first, second, third, last] = [1, 2, 3, 4].map(record);
    save(&store, vec![saved(0, &first), saved(1, &first)]).await?;
    save(&store, vec![saved(0, &second), saved(2, &second)]).await?;
    let due = [saved(0, &second), saved(1, &first), saved(2, &second)];
    has(&store, &due).await?;
    // Also by a record of an earlier time: the last save counts.
    let earlier = DeviceRecord {
        at: last.at - MINUTE,
        ..last
    };
    save(&store, vec![saved(0, &third), saved(0, &earlier)]).await?;
    is(&store, &keys[0], Some(&earlier)).await
}

pub(super) async fn apart<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let all: Vec<_> = keys().into_iter().zip((1..).map(record)).collect();
    for (i, saved) in all.iter().enumerate() {
        save(&store, vec![saved.clone()]).await?;
        has(&store, &all[..=i]).await?;
        for (key, _) in &all[i + 1..] {
            is(&store, key, None).await?;
        }
    }
    Ok(())
}

pub(super) async fn expired<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let now = time::unix_ms();
    let keys = keys();
    let saved = |key: usize, at| {
        let mut record = record(key as u64);
        record.at = at;
        (keys[key].clone(), record)
    };
    let fresh = [
        saved(0, now),
        saved(1, now - LIFE_MS + MINUTE),
        saved(2, now + MINUTE),
        saved(4, now),
    ];
    let old = [
        saved(3, now - LIFE_MS - MINUTE),
        saved(4, now - LIFE_MS - MINUTE),
        saved(5, 0),
    ];
    save(&store, fresh.to_vec()).await?;
    save(&store, old.to_vec()).await?;
    has(&store, &fresh[..3]).await?;
    for (key, _) in &old {
        is(&store, key, None).await?;
    }
    Ok(())
}

/// The other users have names alike: a longer, a shorter, and the ones next in order.
pub(super) async fn bounded<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let others: Vec<Saved> = ["t", "u-", "u0", "uu", "U"]
        .map(|user| (key(user, Some("d"), None), record(1)))
        .into();
    save(&store, others.clone()).await?;
    let now = time::unix_ms();
    let all: Vec<Saved> = (0..2 * RECORDS_PER_USER as i64)
        .map(|n| {
            let mut record = record(2);
            record.at = now + n;
            (key("u", Some(&n.to_string()), None), record)
        })
        .collect();
    let (older, newer) = all.split_at(RECORDS_PER_USER);
    save(&store, older.to_vec()).await?;
    has(&store, older).await?;
    for (n, newest) in newer.iter().enumerate() {
        save(&store, vec![newest.clone()]).await?;
        is(&store, &older[n].0, None).await?;
        has(&store, &older[n + 1..]).await?;
    }
    save(&store, all.clone()).await?;
    has(&store, newer).await?;
    for (key, _) in older {
        is(&store, key, None).await?;
    }
    has(&store, &others).await
}

pub(super) async fn left<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let keys = keys();
    save(&store, vec![(keys[0].clone(), record(1))]).await?;
    let left: Vec<Saved> = keys.iter().cloned().zip((2..).map(record)).collect();
    leave(&store, left.clone()).await?;
    has(&store, &left).await
}

pub(super) async fn known<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    for (key, record) in keys().into_iter().zip(records()) {
        save(&store, vec![(key.clone(), record)]).await?;
        let claimed = claim(&store, &key, Claimant::Known).await?;
        equal(
            format_args!("the record of {key:?} for a node that knows the client"),
            claimed,
            ClaimedRecords::default(),
        )?;
    }
    Ok(())
}

/// Several tasks save all keys at once: every key must have the record of the same task.
pub(super) async fn at_once<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = Arc::new(subject.open().await);
    for round in 0..10 {
        let mut savers = JoinSet::new();
        for saver in 0..6 {
            let store = Arc::clone(&store);
            let record = record(round * 10 + saver);
            savers.spawn(async move {
                let records = keys()
                    .into_iter()
                    .map(|key| (key, record.clone()))
                    .collect();
                save(&*store, records).await
            });
        }
        while let Some(ended) = savers.join_next().await {
            ended.map_err(|error| error.to_string())??;
        }
        let first = load(&*store, &keys()[0]).await?;
        for key in keys() {
            is(&*store, &key, first.as_ref()).await?;
        }
    }
    Ok(())
}

pub(super) async fn reopened<S: Subject>() -> Verdict {
    if !S::DURABLE {
        return Ok(());
    }
    let subject = S::new();
    let all: Vec<_> = keys().into_iter().zip(records()).collect();
    for (i, saved) in all.iter().enumerate() {
        let store = subject.open().await;
        has(&store, &all[..i]).await?;
        save(&store, vec![saved.clone()]).await?;
        subject.close(store).await;
    }
    has(&subject.open().await, &all).await
}

pub(super) async fn save(store: &impl DeviceStore, records: Vec<Saved>) -> Verdict {
    store
        .save(records)
        .await
        .map_err(|error| failed("save", &error))
}

pub(super) async fn leave(store: &impl DeviceStore, records: Vec<Saved>) -> Verdict {
    let left = store.leave(records).await;
    left.map_err(|error| failed("leave", &error))
}

/// Returns what a node claims.
pub(super) async fn claim(
    store: &impl DeviceStore,
    key: &DeviceKey,
    claimant: Claimant,
) -> Verdict<ClaimedRecords> {
    let claimed = store.claim(key, claimant).await;
    claimed.map_err(|error| failed("claim", &error))
}

/// Returns the one record that all claimed ones stand for together.
pub(super) async fn load(
    store: &impl DeviceStore,
    key: &DeviceKey,
) -> Verdict<Option<DeviceRecord>> {
    let found = claim(store, key, Claimant::New).await?;
    let records = found.own.into_iter().chain(found.left);
    Ok(records.chain(found.elsewhere).reduce(DeviceRecord::merge))
}

/// Checks that the store has these records.
async fn has(store: &impl DeviceStore, records: &[Saved]) -> Verdict {
    for (key, record) in records {
        is(store, key, Some(record)).await?;
    }
    Ok(())
}

/// Checks the record of a key.
async fn is(store: &impl DeviceStore, key: &DeviceKey, due: Option<&DeviceRecord>) -> Verdict {
    equal(
        format_args!("the record of {key:?}"),
        load(store, key).await?.as_ref(),
        due,
    )
}

fn failed(what: &str, error: &DeviceError) -> String {
    format!("{what} failed: {error:?}")
}
