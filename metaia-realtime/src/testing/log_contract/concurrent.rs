//! Concurrent appends and reads.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::{JoinSet, yield_now};

use super::{
    LogProbe, Looker, Pace, Subject, Trial, Verdict, append, crowd, ensure, equal, sample,
};
use crate::{EventLog, NewEntry, Room, log::Entry};

/// Set when the writers of a check have ended.
type Done = Arc<AtomicBool>;

pub(super) async fn contiguous<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    let answered = crowd::append(&trial.log, &Pace::free()).await?;
    crowd::check(&answered, &trial.log.all().await?)
}

/// Several tasks append the same entries at once: all must receive the same numbers.
pub(super) async fn idempotent<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    for round in 0..10 {
        let batch = crowd::batch(round * 4 + 3);
        let mut writers = JoinSet::new();
        for _ in 0..6 {
            let log = trial.log.clone();
            let batch = batch.clone();
            writers.spawn(async move { log.append(&batch).await });
        }
        let from = round as u64 * 4 + 1;
        for numbers in crowd::joined(writers).await? {
            equal(
                "the numbers of entries that several append",
                numbers,
                (from..from + 4).collect(),
            )?;
        }
        equal("the head", trial.log.head().await?.position.n(), from + 3)?;
    }
    Ok(())
}

pub(super) async fn visible<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let log = trial.log.clone();
        let room = sample::order(writer);
        writers.spawn(async move {
            for i in 0..20 {
                let new = sample::entry([room.clone()], &serde_json::json!({ "i": i }));
                let id = new.id();
                let n = log.append(&[new]).await?[0];
                append::check_visible(&log, n, id, &room).await?;
            }
            Ok(())
        });
    }
    crowd::joined(writers).await.map(drop)
}

/// Readers follow the log while it grows, in different rooms: none may miss an entry.
pub(super) async fn followed<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    let done = Done::default();
    let pace = Pace::default();
    let mut readers = JoinSet::new();
    for rooms in [None, Some(0b1), Some(0b11_0000), Some(0b100_0010)] {
        let rooms = rooms.map(|bits| sample::subset(&sample::rooms(), bits));
        let log = trial.log.clone();
        let done = Arc::clone(&done);
        let looker = pace.looker();
        readers.spawn(async move {
            let followed = follow(&log, rooms.as_deref(), &done, &looker).await?;
            Ok((rooms, followed))
        });
    }
    let answered = crowd::append(&trial.log, &pace).await;
    done.store(true, Ordering::SeqCst);
    let followed = crowd::joined(readers).await?;
    let entries = trial.log.all().await?;
    crowd::check(&answered?, &entries)?;
    for (rooms, followed) in followed {
        let wanted = |entry: &&Arc<Entry>| is_in_rooms(entry, rooms.as_deref());
        let due: Vec<u64> = entries
            .iter()
            .filter(wanted)
            .map(|entry| entry.n())
            .collect();
        equal(
            format_args!("the entries that a reader of {rooms:?} followed"),
            followed,
            due,
        )?;
    }
    Ok(())
}

fn is_in_rooms(entry: &Entry, rooms: Option<&[Room]>) -> bool {
    let Some(rooms) = rooms else { return true };
    let published = entry.content().rooms();
    published.iter().any(|room| rooms.contains(room))
}

async fn follow<L: EventLog>(
    log: &LogProbe<L>,
    rooms: Option<&[Room]>,
    done: &Done,
    looker: &Looker,
) -> Verdict<Vec<u64>> {
    let mut followed = Vec::new();
    let mut after = 0;
    loop {
        // Loaded before the read, so that the last page was read after the last append.
        let is_last = done.load(Ordering::SeqCst);
        let page = log.read(rooms, after, 3).await?;
        looker.look();
        ensure!(
            page.scanned >= after,
            "scanned went back from {after} to {}",
            page.scanned
        );
        after = page.scanned;
        followed.extend(page.entries.iter().map(|entry| entry.n()));
        if page.entries.is_empty() {
            if is_last {
                return Ok(followed);
            }
            yield_now().await;
        }
    }
}

/// No reader sees a part of an append, and a cancelled append is there as a whole or not at all.
pub(super) async fn whole<S: Subject>() -> Verdict {
    let trial = Trial::<S>::new().await;
    let done = Done::default();
    let pace = Pace::default();
    let mut watchers = JoinSet::new();
    for _ in 0..2 {
        watchers.spawn(watch(trial.log.clone(), Arc::clone(&done), pace.looker()));
    }
    let cancelled = cancel_appends(trial.log.clone(), &pace);
    let (answered, cancelled) = tokio::join!(crowd::append(&trial.log, &pace), cancelled);
    // A cancelled batch may be in the log or not: appended again, it must be there once.
    let mut answered = answered?;
    for batch in cancelled {
        let numbers = trial.log.append(&batch).await?;
        answered.push((batch, numbers));
    }
    done.store(true, Ordering::SeqCst);
    let entries = trial.log.all().await?;
    crowd::check(&answered, &entries)?;
    let ends: HashSet<u64> = answered
        .iter()
        .filter_map(|(_, numbers)| numbers.last().copied())
        .collect();
    for head in crowd::joined(watchers).await?.into_iter().flatten() {
        ensure!(
            ends.contains(&head) || head == 0,
            "entry {head}, in the middle of an append, was the last for a moment"
        );
    }
    Ok(())
}

/// Returns every head that any method has shown.
async fn watch<L: EventLog>(log: LogProbe<L>, done: Done, looker: Looker) -> Verdict<HashSet<u64>> {
    let mut heads = HashSet::new();
    while !done.load(Ordering::SeqCst) {
        let after = log.head().await?.position.n();
        let page = log.read(None, after.saturating_sub(1), 1_000).await?;
        let last = page.entries.last().map_or(after, |entry| entry.n());
        looker.look();
        heads.extend([after, last, log.history(after, &[], 1).await?.head.n()]);
        yield_now().await;
    }
    Ok(heads)
}

/// Begins appends and cancels each a little later than the one before. Returns the batches.
async fn cancel_appends<L: EventLog>(log: LogProbe<L>, pace: &Pace) -> Vec<Vec<NewEntry>> {
    let mut tried = Vec::new();
    for i in 0..40 {
        pace.looked(i * 3).await;
        let batch = crowd::batch(10_000 + i);
        tokio::select! {
            biased;
            _ = log.append(&batch) => {}
            () = yield_times(i / 2) => {}
        }
        tried.push(batch);
        yield_now().await;
    }
    tried
}

async fn yield_times(times: usize) {
    for _ in 0..times {
        yield_now().await;
    }
}
