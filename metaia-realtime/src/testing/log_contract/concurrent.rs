//! What holds while several append and read at once.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::{JoinSet, yield_now};

use super::{Looker, Pace, Probe, Subject, Trial, Verdict, append, crowd, ensure, equal, sample};
use crate::{EventLog, NewEntry, Room, log::Entry};

/// Whether the writers of a check have ended.
type Done = Arc<AtomicBool>;

pub(super) async fn contiguous<S: Subject>() -> Verdict {
    let trial = Trial::<S>::begin().await;
    let answered = crowd::append(&trial.log, &Pace::free()).await?;
    crowd::check(&answered, &trial.log.all().await?)
}

/// The same entries by several at once: the same answer for all, and each entry once.
pub(super) async fn idempotent<S: Subject>() -> Verdict {
    let trial = Trial::<S>::begin().await;
    for round in 0..10 {
        let batch = crowd::batch(round * 4 + 3);
        let mut writers = JoinSet::new();
        for _ in 0..6 {
            let (log, batch) = (trial.log.clone(), batch.clone());
            writers.spawn(async move { log.append(&batch).await });
        }
        let from = round as u64 * 4 + 1;
        for numbers in crowd::joined(writers).await? {
            equal(
                "the answer to each who appends the same",
                numbers,
                (from..from + 4).collect(),
            )?;
        }
        equal("the head", trial.log.head().await?.position.n(), from + 3)?;
    }
    Ok(())
}

pub(super) async fn visible<S: Subject>() -> Verdict {
    let trial = Trial::<S>::begin().await;
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let (log, room) = (trial.log.clone(), sample::order(writer));
        writers.spawn(async move {
            for i in 0..20 {
                let new = sample::entry([room.clone()], &serde_json::json!({ "i": i }));
                let id = new.id();
                let n = log.append(&[new]).await?[0];
                append::seen(&log, n, id, &room).await?;
            }
            Ok(())
        });
    }
    crowd::joined(writers).await.map(drop)
}

/// Readers who follow the log while it grows miss nothing, whatever they follow.
pub(super) async fn followed<S: Subject>() -> Verdict {
    let trial = Trial::<S>::begin().await;
    let (done, pace) = (Done::default(), Pace::default());
    let mut readers = JoinSet::new();
    for rooms in [None, Some(0b1), Some(0b11_0000), Some(0b100_0010)] {
        let rooms = rooms.map(|bits| sample::subset(&sample::rooms(), bits));
        let (log, done, looker) = (trial.log.clone(), Arc::clone(&done), pace.looker());
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
        let wanted = |entry: &&Arc<Entry>| within(entry, rooms.as_deref());
        let due: Vec<u64> = entries
            .iter()
            .filter(wanted)
            .map(|entry| entry.n())
            .collect();
        equal(
            format_args!("what a reader of {rooms:?} followed"),
            followed,
            due,
        )?;
    }
    Ok(())
}

fn within(entry: &Entry, rooms: Option<&[Room]>) -> bool {
    rooms.is_none_or(|rooms| {
        entry
            .content()
            .rooms()
            .iter()
            .any(|room| rooms.contains(room))
    })
}

async fn follow<L: EventLog>(
    log: &Probe<L>,
    rooms: Option<&[Room]>,
    done: &Done,
    looker: &Looker,
) -> Verdict<Vec<u64>> {
    let (mut followed, mut after) = (Vec::new(), 0);
    loop {
        let last = done.load(Ordering::SeqCst);
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
            if last {
                return Ok(followed);
            }
            yield_now().await;
        }
    }
}

/// Nobody sees a part of an append, and one that was given up is there as a whole or not at all.
pub(super) async fn whole<S: Subject>() -> Verdict {
    let trial = Trial::<S>::begin().await;
    let (done, pace) = (Done::default(), Pace::default());
    let mut watchers = JoinSet::new();
    for _ in 0..2 {
        watchers.spawn(watch(trial.log.clone(), Arc::clone(&done), pace.looker()));
    }
    let given_up = give_up(trial.log.clone(), &pace);
    let (answered, given_up) = tokio::join!(crowd::append(&trial.log, &pace), given_up);
    // Whether they are in the log or not: appended again, each is there once.
    let mut answered = answered?;
    for batch in given_up {
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
            "entry {head} was the last for a moment, amid an append"
        );
    }
    Ok(())
}

/// Every head that was seen, by whichever look.
async fn watch<L: EventLog>(log: Probe<L>, done: Done, looker: Looker) -> Verdict<HashSet<u64>> {
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

/// Begins appends and drops them a little later each time. Answers what was tried.
async fn give_up<L: EventLog>(log: Probe<L>, pace: &Pace) -> Vec<Vec<NewEntry>> {
    let mut tried = Vec::new();
    for i in 0..40 {
        pace.looked(i * 3).await;
        let batch = crowd::batch(10_000 + i);
        tokio::select! {
            biased;
            _ = log.append(&batch) => {}
            () = yields(i / 2) => {}
        }
        tried.push(batch);
        yield_now().await;
    }
    tried
}

async fn yields(times: usize) {
    for _ in 0..times {
        yield_now().await;
    }
}
