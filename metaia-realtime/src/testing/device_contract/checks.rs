//! The check of each clause.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Subject;
use crate::{
    EventId, Identity, Position, Role,
    device::{DeviceKey, DeviceRecord, DeviceStore, LIFE_MS, RECORDS_PER_USER},
    log::LogError,
    testing::contract::{Verdict, equal},
    values::Epoch,
};

type Saved = (DeviceKey, DeviceRecord);

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
    let [first, second, third, last] = [1, 2, 3, 4].map(record);
    save(
        &store,
        vec![
            (keys[0].clone(), first.clone()),
            (keys[1].clone(), first.clone()),
        ],
    )
    .await?;
    save(
        &store,
        vec![
            (keys[0].clone(), second.clone()),
            (keys[2].clone(), second.clone()),
        ],
    )
    .await?;
    has(
        &store,
        &[
            (keys[0].clone(), second.clone()),
            (keys[1].clone(), first),
            (keys[2].clone(), second),
        ],
    )
    .await?;
    // Also by one from an earlier time: who saves last knows best.
    let earlier = DeviceRecord {
        at: last.at - MINUTE,
        ..last
    };
    save(
        &store,
        vec![(keys[0].clone(), third), (keys[0].clone(), earlier.clone())],
    )
    .await?;
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
    let now = crate::values::time::unix_ms();
    let keys = keys();
    let saved = |key: usize, at| {
        (
            keys[key].clone(),
            DeviceRecord {
                at,
                ..record(key as u64)
            },
        )
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

/// Others are alike: by a longer or shorter name, by what comes next in order.
pub(super) async fn bounded<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let others: Vec<Saved> = ["t", "u-", "u0", "uu", "U"]
        .map(|user| (key(user, Some("d"), None), record(1)))
        .into();
    save(&store, others.clone()).await?;
    let now = crate::values::time::unix_ms();
    let all: Vec<Saved> = (0..2 * RECORDS_PER_USER as i64)
        .map(|n| {
            (
                key("u", Some(&n.to_string()), None),
                DeviceRecord {
                    at: now + n,
                    ..record(2)
                },
            )
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

/// Whoever saves last, every key has what that one gave.
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

/// Keys that a store could take for each other: by case, as patterns, by kind, by an end that is
/// cut off.
fn keys() -> Vec<DeviceKey> {
    let device = |user, device| key(user, Some(device), None);
    let token = |user, id| key(user, None, Some(id));
    vec![
        device("u", "a"),
        device("U", "a"),
        device("u", "A"),
        device("u", "a_b"),
        device("u", "axb"),
        token("u", "a"),
        token("u", "%' -- ä 漢 👩‍👩‍👧 \n\""),
        token("u", "a\0b"),
        token("u", "a\0c"),
        token("u", &"x".repeat(255)),
        token("u", &"x".repeat(256)),
        device(&"u".repeat(64), &"d".repeat(64)),
    ]
}

fn key(user: &str, device: Option<&str>, token: Option<&str>) -> DeviceKey {
    let mut identity = Identity::new(
        user.parse().unwrap_or_else(|_| panic!("no user")),
        Role::Customer,
    );
    identity.token_id = token.map(str::to_owned);
    let device = device.map(|id| id.parse().unwrap_or_else(|_| panic!("no device")));
    DeviceKey::of(&identity, device.as_ref()).unwrap_or_else(|| panic!("no key"))
}

/// Records of all shapes.
fn records() -> impl Iterator<Item = DeviceRecord> {
    let orders = |count| {
        (0..count).map(|i: u32| i.to_string().parse().unwrap_or_else(|_| panic!("no order")))
    };
    let (epoch, id) = (Epoch::from_bits(u64::MAX), EventId::from_bytes([255; 16]));
    let shapes = [
        DeviceRecord {
            position: Position::start(Epoch::from_bits(0)),
            ..record(0)
        },
        DeviceRecord {
            position: Position::of(epoch, (1 << 53) - 1, id),
            ..record(0)
        },
        DeviceRecord {
            orders: orders(1).collect(),
            connections: 0,
            ..record(7)
        },
        DeviceRecord {
            orders: orders(1_000).collect(),
            connections: u32::MAX,
            ..record(8)
        },
    ];
    shapes.into_iter().chain((9..).map(record))
}

fn record(n: u64) -> DeviceRecord {
    let position = Position::of(Epoch::from_bits(n), n, EventId::from_bytes([n as u8; 16]));
    DeviceRecord {
        position,
        orders: Vec::new(),
        connections: 1,
        at: crate::values::time::unix_ms(),
    }
}

async fn save(store: &impl DeviceStore, records: Vec<Saved>) -> Verdict {
    store
        .save(records)
        .await
        .map_err(|error| failed("save", &error))
}

async fn load(store: &impl DeviceStore, key: &DeviceKey) -> Verdict<Option<DeviceRecord>> {
    store
        .load(key)
        .await
        .map_err(|error| failed("load", &error))
}

async fn has(store: &impl DeviceStore, records: &[Saved]) -> Verdict {
    for (key, record) in records {
        is(store, key, Some(record)).await?;
    }
    Ok(())
}

async fn is(store: &impl DeviceStore, key: &DeviceKey, due: Option<&DeviceRecord>) -> Verdict {
    equal(
        format_args!("the record of {key:?}"),
        load(store, key).await?.as_ref(),
        due,
    )
}

fn failed(what: &str, error: &LogError) -> String {
    format!("{what} failed: {error:?}")
}
