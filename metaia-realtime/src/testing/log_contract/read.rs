//! Reading by rooms, page by page, and what is known of the past.

use super::{
    Probe, Subject, Trial, Verdict, equal,
    model::{Asked, Between, Model},
    sample,
};
use crate::{EventLog, Room};

/// Numbers that no entry has: the first that a position cannot say, and what overflows.
const BEYOND: [u64; 4] = [1 << 53, (1 << 53) + 1, i64::MAX as u64, u64::MAX];
const ENTRIES: usize = 60;

/// A log with entries in all kinds of subsets of the rooms.
async fn filled<S: Subject>() -> Verdict<(Trial<S>, Model)> {
    let trial = Trial::<S>::begin().await;
    let entries = sample::in_subsets(&sample::rooms(), ENTRIES);
    for batch in entries.chunks(7) {
        trial.log.append(batch).await?;
    }
    let epoch = trial.log.head().await?.position.epoch();
    Ok((trial, Model { epoch, entries }))
}

/// Reads, and judges the answer.
pub(super) async fn page<L: EventLog>(
    log: &Probe<L>,
    model: &Model,
    asked: Asked<'_>,
) -> Verdict<crate::log::Page> {
    let before = log.head().await?;
    let page = log.read(asked.rooms, asked.after, asked.limit).await?;
    let after = log.head().await?;
    model.check_head(before)?;
    model.check_head(after)?;
    model.check_page(asked, &page, &Between::new(before, after))?;
    Ok(page)
}

/// Asks for the history, and judges the answer.
pub(super) async fn history<L: EventLog>(
    log: &Probe<L>,
    model: &Model,
    asked: Asked<'_>,
) -> Verdict {
    let before = log.head().await?;
    let history = log
        .history(asked.after, asked.rooms.unwrap_or_default(), asked.limit)
        .await?;
    let between = Between::new(before, log.head().await?);
    model.check_history(
        Asked {
            rooms: Some(asked.rooms.unwrap_or_default()),
            ..asked
        },
        &history,
        &between,
    )
}

/// Any subset of the rooms, or all entries.
fn subsets() -> Vec<Option<Vec<Room>>> {
    let rooms = sample::rooms();
    let twice: Vec<_> = rooms.iter().chain(&rooms).cloned().collect();
    let many = (0..1_000)
        .map(sample::order)
        .chain(rooms[..2].iter().cloned())
        .collect();
    let all = (0..1 << rooms.len())
        .step_by(3)
        .map(|bits| sample::subset(&rooms, bits));
    all.chain([twice, many]).map(Some).chain([None]).collect()
}

pub(super) async fn rooms<S: Subject>() -> Verdict {
    let (trial, model) = filled::<S>().await?;
    for rooms in subsets() {
        let asked = Asked {
            rooms: rooms.as_deref(),
            after: 0,
            limit: 1_000,
        };
        page(&trial.log, &model, asked).await?;
        page(&trial.log, &model, Asked { after: 31, ..asked }).await?;
    }
    Ok(())
}

pub(super) async fn pages<S: Subject>() -> Verdict {
    let (trial, model) = filled::<S>().await?;
    for rooms in subsets().iter().step_by(4) {
        for limit in [1, 2, 7, ENTRIES] {
            let mut after = 0;
            while after < ENTRIES as u64 {
                let asked = Asked {
                    rooms: rooms.as_deref(),
                    after,
                    limit,
                };
                after = page(&trial.log, &model, asked).await?.scanned;
            }
        }
    }
    Ok(())
}

pub(super) async fn limits<S: Subject>() -> Verdict {
    let (trial, model) = filled::<S>().await?;
    let head = ENTRIES as u64;
    let some = sample::subset(&sample::rooms(), 0b101);
    for rooms in [None, Some(&*some), Some(&[])] {
        for after in [0, 30, head - 1, head, head + 1].into_iter().chain(BEYOND) {
            for limit in [0, 1, usize::MAX] {
                page(
                    &trial.log,
                    &model,
                    Asked {
                        rooms,
                        after,
                        limit,
                    },
                )
                .await?;
            }
        }
    }
    Ok(())
}

pub(super) async fn histories<S: Subject>() -> Verdict {
    let (trial, model) = filled::<S>().await?;
    for rooms in subsets().iter().flatten().step_by(5) {
        for after in (0..=ENTRIES as u64 + 1).step_by(6).chain(BEYOND) {
            for limit in [0, 1, 5, usize::MAX] {
                let asked = Asked {
                    rooms: Some(rooms),
                    after,
                    limit,
                };
                history(&trial.log, &model, asked).await?;
            }
        }
    }
    Ok(())
}

/// Two logs have two epochs, and all answers of one agree on its own.
pub(super) async fn epochs<S: Subject>() -> Verdict {
    let (trial, model) = filled::<S>().await?;
    let other = Trial::<S>::begin().await;
    super::ensure!(
        other.log.head().await?.position.epoch() != model.epoch,
        "two logs have the epoch {}",
        model.epoch
    );
    let answered = trial.log.append_at(&[model.entries[0].clone()]).await?;
    equal("the epoch of an answer", answered[0].epoch(), model.epoch)?;
    page(
        &trial.log,
        &model,
        Asked {
            rooms: None,
            after: 0,
            limit: ENTRIES,
        },
    )
    .await?;
    history(
        &trial.log,
        &model,
        Asked {
            rooms: None,
            after: 1,
            limit: 1,
        },
    )
    .await?;
    for entry in trial.log.all().await? {
        equal(
            "the epoch of an entry",
            entry.position().epoch(),
            model.epoch,
        )?;
    }
    Ok(())
}
