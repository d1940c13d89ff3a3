//! Appends: numbers, idempotence, and reads afterwards.

use serde_json::json;

use super::{LogProbe, Subject, Trial, Verdict, ensure, equal, sample};
use crate::{EventLog, NewEntry, Position, log::Head};

pub(super) async fn numbers<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    let start = trial.log.head().await?;
    let epoch = start.position.epoch();
    equal(
        "the head of a new log",
        start,
        Head {
            position: Position::start(epoch),
            floor: 0,
        },
    )?;
    let mut appended = Vec::new();
    for size in [1, 3, 0, 50, 1] {
        let batch = sample::entries(size);
        let due = (appended.len() as u64 + 1..).zip(&batch);
        let due: Vec<_> = due
            .map(|(n, new)| Position::new(epoch, n, new.id()))
            .collect();
        equal(
            format_args!("appending {size}"),
            trial.log.append_at(&batch).await?,
            due,
        )?;
        appended.extend(batch);
        trial.log.has_exactly(&appended).await?;
    }
    let last = appended
        .last()
        .map(|new| Position::new(epoch, appended.len() as u64, new.id()));
    equal("the head", Some(trial.log.head().await?.position), last)
}

pub(super) async fn large_batches<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    let text = "x".repeat(64 * 1024 - 300);
    let mut appended = sample::entries(2_000);
    trial.log.append(&appended).await?;
    let heavy: Vec<_> = (0..20)
        .map(|i| sample::entry(sample::rooms(), &json!({ "i": i, "text": text })))
        .collect();
    trial.log.append(&heavy).await?;
    appended.extend(heavy);
    trial.log.has_exactly(&appended).await
}

pub(super) async fn idempotent<S: Subject>() -> Verdict {
    let mut trial = Trial::<S>::new().await;
    let [a, b, c, d] = four_entries();
    let log = &trial.log;
    append_known(log, &[&a, &b], &[1, 2]).await?;
    append_known(log, &[&a], &[1]).await?;
    append_known(log, &[&b, &c, &a], &[2, 3, 1]).await?;
    append_known(log, &[&d, &d, &a, &d], &[4, 4, 1, 4]).await?;
    // The first content stays: a reader may have seen it.
    let other = sample::entry([], &json!({ "other": true })).with_id(a.id());
    append_known(log, &[&other], &[1]).await?;
    let appended = [a, b, c, d];
    log.has_exactly(&appended).await?;
    if S::DURABLE {
        trial = trial.reopened().await;
        let [a, b, c, d] = &appended;
        append_known(&trial.log, &[d, b, c, a], &[4, 2, 3, 1]).await?;
        trial.log.has_exactly(&appended).await?;
    }
    Ok(())
}

fn four_entries() -> [NewEntry; 4] {
    std::array::from_fn(|i| sample::entry(sample::rooms(), &json!({ "i": i })))
}

/// Appends entries of which the log may have some, and checks their numbers.
async fn append_known<L: EventLog>(log: &LogProbe<L>, batch: &[&NewEntry], due: &[u64]) -> Verdict {
    let batch: Vec<_> = batch.iter().map(|new| (*new).clone()).collect();
    equal(
        "numbers of entries that are known",
        &*log.append(&batch).await?,
        due,
    )
}

pub(super) async fn visible<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    let room = sample::order(1);
    for i in 0..40_u64 {
        let new = sample::entry([room.clone()], &json!({ "i": i }));
        let id = new.id();
        let n = i + 1;
        equal("the number", trial.log.append(&[new]).await?, vec![n])?;
        check_visible(&trial.log, n, id, &room).await?;
        equal("the head", trial.log.head().await?.position.n(), n)?;
    }
    Ok(())
}

/// Checks that every method finds the entry.
pub(super) async fn check_visible<L: EventLog>(
    log: &LogProbe<L>,
    n: u64,
    id: crate::values::EventId,
    room: &crate::Room,
) -> Verdict {
    let head = log.head().await?.position.n();
    ensure!(
        head >= n,
        "the append of entry {n} has returned, and the head is {head}"
    );
    let rooms = std::slice::from_ref(room);
    for rooms in [None, Some(rooms)] {
        let page = log.read(rooms, n - 1, 1).await?;
        let came: Vec<_> = page
            .entries
            .iter()
            .map(|entry| (entry.n(), entry.content().id()))
            .collect();
        equal(
            format_args!("entry {n}, read from {rooms:?} after its append"),
            came,
            vec![(n, id)],
        )?;
    }
    let history = log.history(n, rooms, 1).await?;
    equal(
        format_args!("the history of entry {n} after its append"),
        history.entry,
        Some(id),
    )
}
