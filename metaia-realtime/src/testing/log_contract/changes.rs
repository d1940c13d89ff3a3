//! Notifications of new entries.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};

use super::{LogProbe, Looker, Pace, Subject, Trial, Verdict, crowd, ensure, equal, sample};
use crate::EventLog;

/// The deadline of a notification here. The contract only demands that it comes eventually.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn told<S: Subject>() -> Verdict {
    let mut trial = Trial::<S>::new().await;
    let mut early = trial.log.changes();
    for i in 1..=20 {
        let numbers = trial.log.append(&sample::entries(i)).await?;
        let n = numbers.last().copied().unwrap_or_default();
        reaches(&mut early, n, "an earlier subscriber").await?;
        reaches(&mut trial.log.changes(), n, "a later subscriber").await?;
    }
    if S::DURABLE {
        let n = trial.log.head().await?.position.n();
        drop(early);
        trial = trial.reopened().await;
        reaches(
            &mut trial.log.changes(),
            n,
            "a subscriber of the log that was opened again",
        )
        .await?;
    }
    Ok(())
}

async fn reaches(changes: &mut watch::Receiver<u64>, n: u64, subscriber: &str) -> Verdict {
    let in_time = tokio::time::timeout(NOTIFY_TIMEOUT, changes.wait_for(|told| *told == n))
        .await
        .is_ok_and(|told| told.is_ok());
    ensure!(
        in_time,
        "{subscriber} has received {} within {NOTIFY_TIMEOUT:?}, not {n}",
        *changes.borrow()
    );
    Ok(())
}

/// Checks with concurrent appends that the number never goes back, never runs ahead, and ends with
/// the head.
pub(super) async fn in_order<S: Subject>() -> Verdict {
    for _ in 0..8 {
        let trial = Trial::<S>::new().await;
        let mut followers = JoinSet::new();
        let done = Arc::new(AtomicBool::new(false));
        let pace = Pace::default();
        for _ in 0..2 {
            followers.spawn(follow(trial.log.clone(), Arc::clone(&done), pace.looker()));
        }
        pace.looked(2).await;
        let answered = crowd::append(&trial.log, &Pace::free()).await;
        done.store(true, Ordering::SeqCst);
        let head = trial.log.head().await?.position.n();
        // One more append, so that a follower that waits for a change ends.
        let last = trial.log.append(&sample::entries(1)).await?;
        equal("the number after all others", last, vec![head + 1])?;
        crowd::joined(followers).await?;
        drop(answered?);
        reaches(
            &mut trial.log.changes(),
            head + 1,
            "a subscriber after all appends",
        )
        .await?;
    }
    Ok(())
}

async fn follow<L: EventLog>(log: LogProbe<L>, done: Arc<AtomicBool>, looker: Looker) -> Verdict {
    let mut changes = log.changes();
    let mut last = *changes.borrow_and_update();
    looker.look();
    while !done.load(Ordering::SeqCst) {
        let changed = tokio::time::timeout(NOTIFY_TIMEOUT, changes.changed()).await;
        ensure!(
            matches!(changed, Ok(Ok(()))),
            "no notification within {NOTIFY_TIMEOUT:?} after {last}"
        );
        let told = *changes.borrow_and_update();
        ensure!(told >= last, "{told} came after {last}");
        last = told;
        check_readable(&log, told).await?;
    }
    Ok(())
}

/// Checks that the announced entry can be read.
async fn check_readable<L: EventLog>(log: &LogProbe<L>, told: u64) -> Verdict {
    let read = log.read(None, told.saturating_sub(1), 1).await?;
    let first = read.entries.first().map(|entry| entry.n());
    equal("the entry of the notification", first, Some(told))
}
