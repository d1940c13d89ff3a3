//! Reads by rooms, page by page, and histories.

use super::{
    LogProbe, Subject, Trial, Verdict, equal,
    model::{Asked, Between, Model},
    sample,
};
use crate::{EventLog, Room};

/// Numbers that no entry has: the first that a position cannot hold, and numbers that overflow.
const BEYOND: [u64; 4] = [1 << 53, (1 << 53) + 1, i64::MAX as u64, u64::MAX];
const ENTRIES: usize = 60;

/// Fills a log with entries in all kinds of subsets of the rooms.
async fn filled<S: Subject>() -> Verdict<(Trial<S>, Model)> {
    let trial = Trial::<S>::new().await;
    let entries = sample::in_subsets(&sample::rooms(), ENTRIES);
    for batch in entries.chunks(7) {
        trial.log.append(batch).await?;
    }
    let epoch = trial.log.head().await?.position.epoch();
    Ok((trial, Model { epoch, entries }))
}

/// Reads a page and checks it.
pub(super) async fn page<L: EventLog>(
    log: &LogProbe<L>,
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

/// Reads a history and checks it.
pub(super) async fn history<L: EventLog>(
    log: &LogProbe<L>,
    model: &Model,
    asked: Asked<'_>,
) -> Verdict {
    let before = log.head().await?;
    // `history` has no way to ask for all rooms.
    let rooms = asked.rooms.unwrap_or_default();
    let history = log.history(asked.after, rooms, asked.limit).await?;
    let between = Between::new(before, log.head().await?);
    let asked = Asked {
        rooms: Some(rooms),
        ..asked
    };
    model.check_history(asked, &history, &between)
}

/// Returns subsets of the rooms, each room twice, a thousand rooms, and all entries.
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
                let asked = Asked {
                    rooms,
                    after,
                    limit,
                };
                page(&trial.log, &model, asked).await?;
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

/// Checks that two logs have two epochs, and that all results of one have its own.
pub(super) async fn epochs<S: Subject>() -> Verdict {
    let (trial, model) = filled::<S>().await?;
    let other = Trial::<S>::new().await;
    super::ensure!(
        other.log.head().await?.position.epoch() != model.epoch,
        "two logs have the epoch {}",
        model.epoch
    );
    let positions = trial.log.append_at(&[model.entries[0].clone()]).await?;
    equal("the epoch of a position", positions[0].epoch(), model.epoch)?;
    let all = Asked {
        rooms: None,
        after: 0,
        limit: ENTRIES,
    };
    page(&trial.log, &model, all).await?;
    let one = Asked {
        after: 1,
        limit: 1,
        ..all
    };
    history(&trial.log, &model, one).await?;
    for entry in trial.log.all().await? {
        equal(
            "the epoch of an entry",
            entry.position().epoch(),
            model.epoch,
        )?;
    }
    Ok(())
}
