//! Trimming: which entries are removed and which stay, and that readers learn of each gap.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::task::yield_now;

use super::{
    LogProbe, Looker, Pace, Subject, Trial, Verdict, ensure, equal,
    model::{Asked, Model},
    read, sample,
};
use crate::{EventLog, NewEntry, log::Retention};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Appends the entries, trims, and checks the reads of every room.
async fn append_and_trim<S: Subject>(
    trial: &Trial<S>,
    model: &mut Model,
    entries: Vec<NewEntry>,
) -> Verdict {
    trial.log.append(&entries).await?;
    model.entries.extend(entries);
    trial.trim().await;
    check_reads(&trial.log, model).await
}

async fn new_log<S: Subject>(retention: Retention) -> Verdict<(Trial<S>, Model)> {
    let trial = Trial::keeping(retention).await;
    let epoch = trial.log.head().await?.position.epoch();
    Ok((
        trial,
        Model {
            epoch,
            entries: Vec::new(),
        },
    ))
}

/// Checks pages and histories of many rooms, at the start, around the floor and at the head.
async fn check_reads<L: EventLog>(log: &LogProbe<L>, model: &Model) -> Verdict {
    let rooms = sample::rooms();
    let subsets = (0..=rooms.len()).map(|i| Some(sample::subset(&rooms, 1 << i | 1 << (2 * i))));
    let head = log.head().await?;
    for rooms in subsets.chain([None]) {
        for after in [
            0,
            head.floor.saturating_sub(1),
            head.floor,
            head.position.n(),
        ] {
            let asked = Asked {
                rooms: rooms.as_deref(),
                after,
                limit: 1_000,
            };
            read::page(log, model, asked).await?;
            read::history(log, model, Asked { limit: 5, ..asked }).await?;
        }
    }
    Ok(())
}

pub(super) async fn by_count<S: Subject>() -> Verdict {
    let (mut trial, mut model) = new_log::<S>(Retention::DISK.entries(10)).await?;
    for (count, due) in [
        (4, 1..=4),
        (6, 1..=10),
        (1, 2..=11),
        (37, 39..=48),
        (3, 42..=51),
    ] {
        append_and_trim(
            &trial,
            &mut model,
            sample::in_subsets(&sample::rooms(), count),
        )
        .await?;
        equal(
            "entries kept for a bound of 10",
            trial.log.numbers().await?,
            due.collect(),
        )?;
    }
    if S::DURABLE {
        trial = trial.reopened_keeping(Retention::DISK.entries(3)).await;
        trial.trim().await;
        equal(
            "entries kept for a bound of 3",
            trial.log.numbers().await?,
            vec![49, 50, 51],
        )?;
        check_reads(&trial.log, &model).await?;
        append_and_trim(&trial, &mut model, sample::entries(1)).await?;
        equal(
            "entries kept for a bound of 3",
            trial.log.numbers().await?,
            vec![50, 51, 52],
        )?;
    }
    Ok(())
}

pub(super) async fn by_bytes<S: Subject>() -> Verdict {
    const BYTES: u64 = 20_000;
    /// The most that one entry counts, in bytes: its payload of 1,011, and the log's overhead.
    const MAX_ENTRY: u64 = 2_000;
    let (trial, mut model) = new_log::<S>(Retention::DISK.bytes(BYTES)).await?;
    let payload = json!({ "text": "x".repeat(1_000) });
    for _ in 0..5 {
        append_and_trim(
            &trial,
            &mut model,
            (0..7)
                .map(|i| sample::entry([sample::order(i)], &payload))
                .collect(),
        )
        .await?;
        let entries = trial.log.all().await?;
        let sizes = entries
            .iter()
            .map(|entry| entry.content().payload().as_str().len() as u64);
        let bytes: u64 = sizes.sum();
        ensure!(
            bytes <= BYTES,
            "{bytes} bytes of payload are kept for a bound of {BYTES}"
        );
        let one_more_fits = (entries.len() as u64 + 1) * MAX_ENTRY <= BYTES;
        let trimmed = model.entries.len() > entries.len();
        ensure!(
            !(trimmed && one_more_fits),
            "only {bytes} bytes of payload are kept for a bound of {BYTES}"
        );
    }
    Ok(())
}

pub(super) async fn by_age<S: Subject>() -> Verdict {
    let (trial, mut model) = new_log::<S>(Retention::DISK.age(HOUR)).await?;
    append_and_trim(&trial, &mut model, sample::entries(5)).await?;
    equal(
        "entries kept that are new",
        trial.log.numbers().await?,
        (1..=5).collect(),
    )?;
    if !trial.passed(HOUR / 2).await {
        return Ok(());
    }
    append_and_trim(&trial, &mut model, sample::entries(5)).await?;
    equal(
        "entries kept after half their time",
        trial.log.numbers().await?,
        (1..=10).collect(),
    )?;
    trial.passed(HOUR * 2 / 3).await;
    equal(
        "entries kept when five are too old",
        trial.log.numbers().await?,
        (6..=10).collect(),
    )?;
    check_reads(&trial.log, &model).await?;
    trial.passed(HOUR * 24).await;
    equal(
        "entries kept when all are too old",
        trial.log.numbers().await?,
        vec![10],
    )?;
    check_reads(&trial.log, &model).await
}

/// Checks that the last entry stays with any bound, and that numbers continue from it.
pub(super) async fn last_stays<S: Subject>() -> Verdict {
    for retention in [
        Retention::DISK.entries(0),
        Retention::DISK.entries(1),
        Retention::DISK.bytes(0),
        Retention::DISK.age(Duration::ZERO),
    ] {
        let (mut trial, mut model) = new_log::<S>(retention).await?;
        for count in [1, 4, 1] {
            append_and_trim(
                &trial,
                &mut model,
                sample::in_subsets(&sample::rooms(), count),
            )
            .await?;
            check_only_last(&trial, &model)
                .await
                .map_err(|what| format!("{what} ({retention:?})"))?;
        }
        if S::DURABLE {
            trial = trial.reopened().await;
            check_only_last(&trial, &model)
                .await
                .map_err(|what| format!("{what} ({retention:?})"))?;
            append_and_trim(&trial, &mut model, sample::entries(1)).await?;
        }
    }
    Ok(())
}

/// Checks that only the last entry stays. It trims repeatedly: with a bound by age the clock has to
/// move on first.
async fn check_only_last<S: Subject>(trial: &Trial<S>, model: &Model) -> Verdict {
    let due = vec![model.entries.len() as u64];
    let mut kept = trial.log.numbers().await?;
    while kept.len() > 1 {
        yield_now().await;
        trial.trim().await;
        kept = trial.log.numbers().await?;
    }
    equal("entries kept when only the last one may stay", kept, due)
}

/// Checks that a room is marked by its own trimmed entries, and by no others.
pub(super) async fn marks<S: Subject>() -> Verdict {
    let (mut trial, mut model) = new_log::<S>(Retention::DISK.entries(20)).await?;
    let quiet = |i| sample::entry([sample::order(i)], &json!({}));
    let busy = |count| (0..count).map(|_| sample::entry([sample::order(0)], &json!({})));
    // The only entry of order 1 is trimmed, no entry of order 2 is, and order 3 has one left.
    let entries = [quiet(1), quiet(3)]
        .into_iter()
        .chain(busy(50))
        .chain([quiet(2), quiet(3)]);
    append_and_trim(&trial, &mut model, entries.collect()).await?;
    for _ in 0..2 {
        for (i, due) in [(0, 34), (1, 1), (2, 0), (3, 2), (4, 0)] {
            let rooms = [sample::order(i)];
            let page = trial.log.read(Some(&rooms), 40, 1).await?;
            equal(
                format_args!("trimmed of a page of order {i}"),
                page.trimmed,
                due,
            )?;
            let history = trial.log.history(40, &rooms, 1).await?;
            equal(
                format_args!("trimmed of the history of order {i}"),
                history.trimmed,
                due,
            )?;
        }
        if S::DURABLE {
            trial = trial.reopened().await;
        }
    }
    Ok(())
}

/// Checks that a reader that follows while the log is trimmed sees each entry, or that it is gone.
pub(super) async fn while_reading<S: Subject>() -> Verdict {
    const ENTRIES: usize = 400;
    let (trial, mut model) = new_log::<S>(Retention::DISK.entries(12)).await?;
    model.entries = sample::in_subsets(&sample::rooms(), ENTRIES);
    let model = Arc::new(model);
    let mut readers = tokio::task::JoinSet::new();
    let pace = Pace::default();
    for bits in [None, Some(0b1), Some(0b110), Some(0b111_1111)] {
        readers.spawn(follow(
            trial.log.clone(),
            Arc::clone(&model),
            bits,
            pace.looker(),
        ));
    }
    for (i, batch) in model.entries.chunks(5).enumerate() {
        pace.looked(i * 4).await;
        trial.log.append(batch).await?;
        trial.trim().await;
    }
    super::crowd::joined(readers).await.map(drop)
}

async fn follow<L: EventLog>(
    log: LogProbe<L>,
    model: Arc<Model>,
    bits: Option<usize>,
    looker: Looker,
) -> Verdict {
    let rooms = bits.map(|bits| sample::subset(&sample::rooms(), bits));
    let mut after = 0;
    while after < model.entries.len() as u64 {
        // The entry that is trimmed next is the first after the floor.
        let edge = log.head().await?.floor;
        for after in [edge, after] {
            let asked = Asked {
                rooms: rooms.as_deref(),
                after,
                limit: 4,
            };
            read::page(&log, &model, asked).await?;
            let next = Asked {
                after: after + 1,
                ..asked
            };
            read::history(&log, &model, next).await?;
        }
        let page = log.read(rooms.as_deref(), after, 4).await?;
        looker.look();
        if page.entries.is_empty() {
            yield_now().await;
        }
        // A reader that missed entries continues after the gap.
        after = page.scanned.max(page.trimmed);
    }
    Ok(())
}
