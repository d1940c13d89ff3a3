//! The check of each clause that one node can keep.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::JoinSet;

use super::{
    probe::{ChangeReader, add, has, put, put_all, records},
    subject::Subject,
};
use crate::{
    revocation::{KEPT_AFTER_END_MS, Revocation, RevocationStore},
    testing::contract::{Verdict, ensure, equal},
    values::time,
};

/// A minute in ms.
const MINUTE: i64 = 60 * 1000;

/// Tasks that put at the same time, and the records of each.
const WRITERS: i64 = 6;
const PER_WRITER: i64 = 25;

pub(super) fn of_user(user: &str, issued_before: i64) -> Revocation {
    let user = user.parse().unwrap_or_else(|_| panic!("no user: {user}"));
    Revocation::of_user(user, issued_before)
}

/// Returns revocations that a store could confuse: by case, as patterns, by kind, by an end that is
/// cut off.
fn revocations() -> Vec<Revocation> {
    let later = time::unix_ms() + MINUTE;
    let mut revocations = vec![
        Revocation::of_everyone(5),
        of_user("everyone", 7),
        of_user("u", i64::MAX),
        of_user("U", i64::MIN),
        of_user("a_b", 0),
        of_user("axb", -1),
        of_user(&"u".repeat(64), 1),
    ];
    let long = "x".repeat(3_000);
    for (i, jti) in [
        "u",
        "U",
        "a_b",
        "axb",
        "everyone",
        "user u",
        "$where",
        "a.b",
        "%' -- ä 漢 👩‍👩‍👧 \n\"",
        "a\0b",
        "a\0c",
        "a",
        "a ",
        &long,
        &format!("{long}x"),
    ]
    .into_iter()
    .enumerate()
    {
        let until = (i % 2 == 0).then_some(later + i as i64);
        revocations.push(Revocation::of_token(jti, until));
    }
    revocations
}

pub(super) async fn stored<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    equal("is_shared", store.is_shared(), S::SHARED)?;
    has(&store, &[]).await?;
    let all = revocations();
    put_all(&store, &all).await?;
    has(&store, &all).await
}

pub(super) async fn monotone<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let later = time::unix_ms() + MINUTE;
    let of_token = |until| Revocation::of_token("t", until);
    let bounds = [0, -5, 7, 7, 3, 9, i64::MIN, 8];
    for make in [
        (&|bound| of_user("u", bound)) as &(dyn Fn(i64) -> Revocation + Sync),
        &Revocation::of_everyone,
        &|bound: i64| of_token(Some(later + bound.max(-MINUTE / 2))),
    ] {
        let mut greatest = i64::MIN;
        for bound in bounds {
            let revocation = make(bound);
            greatest = revocation.bound().max(greatest);
            let standing = put(&store, &revocation).await?;
            equal(
                format_args!("the bound that stands after {revocation:?}"),
                standing.bound(),
                greatest,
            )?;
            equal("its key", standing.key(), revocation.key())?;
        }
    }
    put(&store, &of_token(None)).await?;
    let standing = put(&store, &of_token(Some(later))).await?;
    equal("a record that was for good", standing, of_token(None))?;
    let due = [of_user("u", 9), Revocation::of_everyone(9), of_token(None)];
    has(&store, &due).await
}

pub(super) async fn apart<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let all = revocations();
    for (i, revocation) in all.iter().enumerate() {
        put_all(&store, std::slice::from_ref(revocation)).await?;
        has(&store, &all[..=i]).await?;
    }
    Ok(())
}

pub(super) async fn repeated<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let all = revocations();
    for _ in 0..3 {
        put_all(&store, &all).await?;
    }
    has(&store, &all).await
}

pub(super) async fn ended<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let now = time::unix_ms();
    let fresh = [
        Revocation::of_token("now", Some(now)),
        Revocation::of_token("a while ago", Some(now - KEPT_AFTER_END_MS / 2)),
        Revocation::of_token("for good", None),
        Revocation::of_token("next year", Some(now + 365 * 24 * 60 * MINUTE)),
        of_user("u", 0),
        of_user("token", now - 2 * KEPT_AFTER_END_MS),
        Revocation::of_everyone(1),
    ];
    let old = [
        Revocation::of_token("long ago", Some(0)),
        Revocation::of_token("t", Some(now - KEPT_AFTER_END_MS - MINUTE)),
        Revocation::of_token("before 1970", Some(i64::MIN)),
    ];
    for revocation in old.iter().chain(&fresh) {
        put(&store, revocation).await?;
    }
    has(&store, &fresh).await
}

pub(super) async fn changed<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let mut reader = ChangeReader::default();
    let mut due = records(&[]);
    equal(
        "the records of an empty store",
        reader.read(&store).await?,
        due.clone(),
    )?;
    for revocation in revocations() {
        put(&store, &revocation).await?;
        add(&mut due, &revocation);
        equal("the records read", reader.read(&store).await?, due.clone())?;
    }
    for bound in [6, 3, 8] {
        let revocation = Revocation::of_everyone(bound);
        put(&store, &revocation).await?;
        add(&mut due, &revocation);
        equal("the records read", reader.read(&store).await?, due.clone())?;
    }
    equal("the records read again", reader.read(&store).await?, due)
}

/// Several tasks put, and one reads meanwhile, from cursor to cursor.
pub(super) async fn at_once<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = Arc::new(subject.open().await);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    let reading = Arc::clone(&store);
    let over = Arc::clone(&is_over);
    readers.spawn(async move {
        let mut reader = ChangeReader::default();
        while !over.load(Ordering::SeqCst) {
            reader.read(&*reading).await?;
        }
        reader.read(&*reading).await
    });
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move { write(&*store, writer).await });
    }
    let mut due = records(&[]);
    while let Some(ended) = writers.join_next().await {
        for revocation in ended.map_err(|error| error.to_string())?? {
            add(&mut due, &revocation);
        }
    }
    is_over.store(true, Ordering::SeqCst);
    let read = readers.join_next().await.unwrap_or(Ok(Ok(records(&[]))));
    let read = read.map_err(|error| error.to_string())??;
    equal("the records that the reader knows", read, due)
}

/// Puts records of keys that all writers share, and of others.
async fn write(store: &impl RevocationStore, writer: i64) -> Verdict<Vec<Revocation>> {
    let mut all = Vec::new();
    for i in 0..PER_WRITER {
        let shared = of_user(&format!("u{i}"), writer * i);
        let standing = put(store, &shared).await?;
        ensure!(
            standing.bound() >= shared.bound(),
            "{standing:?} stands after {shared:?} was put"
        );
        let own = Revocation::of_token(format!("{writer} {i}"), None);
        put(store, &own).await?;
        all.extend([shared, own]);
    }
    Ok(all)
}

pub(super) async fn reopened<S: Subject>() -> Verdict {
    if !S::DURABLE {
        return Ok(());
    }
    let subject = S::new();
    let all = revocations();
    for (i, part) in all.chunks(5).enumerate() {
        let store = subject.open().await;
        has(&store, &all[..i * 5]).await?;
        put_all(&store, part).await?;
        subject.close(store).await;
    }
    has(&subject.open().await, &all).await
}
