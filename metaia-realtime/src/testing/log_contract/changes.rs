//! Being told that there is something new.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};

use super::{Looker, Pace, Probe, Subject, Trial, Verdict, crowd, ensure, equal, sample};
use crate::EventLog;

/// How late it may be told here. The contract only says: not never.
const LATE: Duration = Duration::from_secs(5);

pub(super) async fn told<S: Subject>() -> Verdict {
    let mut trial = Trial::<S>::begin().await;
    let mut early = trial.log.changes();
    for i in 1..=20 {
        let n = trial
            .log
            .append(&sample::entries(i))
            .await?
            .last()
            .copied()
            .unwrap_or_default();
        reaches(&mut early, n, "who subscribed before").await?;
        reaches(&mut trial.log.changes(), n, "who subscribes afterwards").await?;
    }
    if S::DURABLE {
        let n = trial.log.head().await?.position.n();
        drop(early);
        trial = trial.reopened().await;
        reaches(
            &mut trial.log.changes(),
            n,
            "who subscribes when the log is opened again",
        )
        .await?;
    }
    Ok(())
}

async fn reaches(changes: &mut watch::Receiver<u64>, n: u64, who: &str) -> Verdict {
    let in_time = tokio::time::timeout(LATE, changes.wait_for(|told| *told == n))
        .await
        .is_ok_and(|told| told.is_ok());
    ensure!(
        in_time,
        "{who} was told {} in {LATE:?}, not {n}",
        *changes.borrow()
    );
    Ok(())
}

/// Where several append, what is told never goes back, never runs ahead, and ends with the head.
pub(super) async fn in_order<S: Subject>() -> Verdict {
    for _ in 0..8 {
        let trial = Trial::<S>::begin().await;
        let mut followers = JoinSet::new();
        let (done, pace) = (Arc::new(AtomicBool::new(false)), Pace::default());
        for _ in 0..2 {
            followers.spawn(follow(trial.log.clone(), Arc::clone(&done), pace.looker()));
        }
        pace.looked(2).await;
        let answered = crowd::append(&trial.log, &Pace::free()).await;
        done.store(true, Ordering::SeqCst);
        let head = trial.log.head().await?.position.n();
        let wakes = trial.log.append(&sample::entries(1)).await?;
        equal("the number after those of all", wakes, vec![head + 1])?;
        crowd::joined(followers).await?;
        drop(answered?);
        reaches(
            &mut trial.log.changes(),
            head + 1,
            "who asks when all have appended",
        )
        .await?;
    }
    Ok(())
}

async fn follow<L: EventLog>(log: Probe<L>, done: Arc<AtomicBool>, looker: Looker) -> Verdict {
    let mut changes = log.changes();
    let mut last = *changes.borrow_and_update();
    looker.look();
    while !done.load(Ordering::SeqCst) {
        let changed = tokio::time::timeout(LATE, changes.changed()).await;
        ensure!(
            matches!(changed, Ok(Ok(()))),
            "nothing was told in {LATE:?} after {last}"
        );
        let told = *changes.borrow_and_update();
        ensure!(told >= last, "{told} was told after {last}");
        last = told;
        readable(&log, told).await?;
    }
    Ok(())
}

async fn readable<L: EventLog>(log: &Probe<L>, told: u64) -> Verdict {
    let read = log.read(None, told.saturating_sub(1), 1).await?;
    let first = read.entries.first().map(|entry| entry.n());
    equal("the entry whose number was told", first, Some(told))
}
