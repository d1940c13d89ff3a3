//! Several who append at once, each in batches whose entries can be told apart.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use tokio::task::JoinSet;

use super::{Pace, Probe, Verdict, ensure, equal, sample};
use crate::{EventId, EventLog, NewEntry, log::Entry};

/// How many append at once.
const WRITERS: usize = 6;
/// Batches of each.
const BATCHES: usize = 25;
/// How often others look for each of them.
const LOOKS: usize = 6;

/// A batch, and where its entries are.
pub(super) type Answered = (Vec<NewEntry>, Vec<u64>);

/// The batch number `i`, of 1 to 4 entries in several rooms.
pub(super) fn batch(i: usize) -> Vec<NewEntry> {
    let rooms = sample::rooms();
    let new = |j| {
        sample::entry(
            sample::subset(&rooms, i + j),
            &json!({ "batch": i, "entry": j }),
        )
    };
    (0..=i % 4).map(new).collect()
}

/// Ends with the first task that found something, and passes a panic on.
pub(super) async fn joined<T: 'static>(mut tasks: JoinSet<Verdict<T>>) -> Verdict<Vec<T>> {
    let mut answers = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(answer) => answers.push(answer?),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(answers)
}

/// All append at once, and while others look. Answers who got which numbers.
pub(super) async fn append<L: EventLog>(log: &Probe<L>, pace: &Pace) -> Verdict<Vec<Answered>> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (log, pace) = (log.clone(), pace.clone());
        writers.spawn(async move {
            let mut answered = Vec::new();
            for i in 0..BATCHES {
                pace.looked(i * LOOKS).await;
                let batch = batch(writer * BATCHES + i);
                let numbers = log.append(&batch).await?;
                answered.push((batch, numbers));
            }
            Ok(answered)
        });
    }
    Ok(joined(writers).await?.into_iter().flatten().collect())
}

/// Every answer is what can be read, each batch stands together, and nothing else is there.
pub(super) fn check(answered: &[Answered], entries: &[Arc<Entry>]) -> Verdict {
    let at: HashMap<EventId, u64> = entries
        .iter()
        .map(|entry| (entry.content().id(), entry.n()))
        .collect();
    for (n, entry) in (1..).zip(entries) {
        equal("numbers without a hole: the next", entry.n(), n)?;
    }
    for (batch, numbers) in answered {
        let read: Vec<_> = batch.iter().map(|new| at.get(&new.id()).copied()).collect();
        let due: Vec<_> = numbers.iter().copied().map(Some).collect();
        equal("where the entries of an append are", read, due)?;
        let together = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
        ensure!(together, "the entries of one append are at {numbers:?}");
    }
    let count = answered.iter().map(|(batch, _)| batch.len()).sum();
    equal("entries in the log", entries.len(), count)
}
