//! Several writers that append at once, in batches whose entries can be told apart.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use tokio::task::JoinSet;

use super::{LogProbe, Pace, Verdict, ensure, equal, sample};
use crate::{EventLog, NewEntry, log::Entry, values::EventId};

/// Writers that append at once.
const WRITERS: usize = 6;
/// Batches of each writer.
const BATCHES: usize = 25;
/// Looks of readers that a writer waits for before each batch.
const LOOKS: usize = 6;

/// A batch, and the numbers of its entries.
pub(super) type AppendedBatch = (Vec<NewEntry>, Vec<u64>);

/// Returns the batch number `i`, of 1 to 4 entries in several rooms.
pub(super) fn batch(i: usize) -> Vec<NewEntry> {
    let rooms = sample::rooms();
    let entry = |j| {
        let to = sample::subset(&rooms, i + j);
        sample::entry(to, &json!({ "batch": i, "entry": j }))
    };
    (0..=i % 4).map(entry).collect()
}

/// Waits for the tasks and returns their results. Fails with the first task that fails, and passes
/// a panic on.
pub(super) async fn joined<T: 'static>(mut tasks: JoinSet<Verdict<T>>) -> Verdict<Vec<T>> {
    let mut results = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(result) => results.push(result?),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(results)
}

/// Lets all writers append at once, while readers look. Returns the batches with their numbers.
pub(super) async fn append<L: EventLog>(
    log: &LogProbe<L>,
    pace: &Pace,
) -> Verdict<Vec<AppendedBatch>> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let log = log.clone();
        let pace = pace.clone();
        writers.spawn(async move {
            let mut appended = Vec::new();
            for i in 0..BATCHES {
                pace.looked(i * LOOKS).await;
                let batch = batch(writer * BATCHES + i);
                let numbers = log.append(&batch).await?;
                appended.push((batch, numbers));
            }
            Ok(appended)
        });
    }
    Ok(joined(writers).await?.into_iter().flatten().collect())
}

/// Checks that the entries have the returned numbers, that each batch is contiguous, and that there
/// are no other entries.
pub(super) fn check(appended: &[AppendedBatch], entries: &[Arc<Entry>]) -> Verdict {
    let numbers_by_id: HashMap<EventId, u64> = entries
        .iter()
        .map(|entry| (entry.content().id(), entry.n()))
        .collect();
    for (n, entry) in (1..).zip(entries) {
        equal("the next number", entry.n(), n)?;
    }
    for (batch, numbers) in appended {
        let read: Vec<_> = batch
            .iter()
            .map(|new| numbers_by_id.get(&new.id()).copied())
            .collect();
        let due: Vec<_> = numbers.iter().copied().map(Some).collect();
        equal("the numbers of the entries of an append", read, due)?;
        let is_contiguous = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
        ensure!(
            is_contiguous,
            "the entries of one append are at {numbers:?}"
        );
    }
    let count = appended.iter().map(|(batch, _)| batch.len()).sum();
    equal("entries in the log", entries.len(), count)
}
