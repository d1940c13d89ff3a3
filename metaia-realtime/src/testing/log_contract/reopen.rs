//! Opening a log again: after it was closed, and after it ended otherwise.

use super::{Subject, Trial, Verdict, ensure, equal, sample};
use crate::{NewEntry, Position};

pub(super) async fn closed<S: Subject>() -> Verdict {
    again::<S, _>(Trial::reopened).await
}

pub(super) async fn crashed<S: Subject>() -> Verdict {
    again::<S, _>(Trial::crashed).await
}

/// A durable log goes on where it was. Any other has lost something that was seen, and says so with
/// its epoch.
async fn again<S: Subject, F: Future<Output = Trial<S>>>(
    reopen: impl Fn(Trial<S>) -> F,
) -> Verdict {
    let mut trial = Trial::<S>::begin().await;
    let mut appended = Vec::new();
    // Also a log in which nothing was ever appended has a past: clients were given its position.
    let mut head = trial.log.head().await?.position;
    for count in [0, 5, 1] {
        let entries = sample::in_subsets(&sample::rooms(), count);
        head = trial
            .log
            .append_at(&entries)
            .await?
            .last()
            .copied()
            .unwrap_or(head);
        appended.extend(entries);
        trial = reopen(trial).await;
        if S::DURABLE {
            goes_on(&trial, head, &appended).await?;
        } else {
            appended.clear();
            head = new_history(&trial, head).await?;
        }
    }
    Ok(())
}

async fn goes_on<S: Subject>(trial: &Trial<S>, head: Position, appended: &[NewEntry]) -> Verdict {
    equal(
        "the head after opening again",
        trial.log.head().await?.position,
        head,
    )?;
    trial.log.has_exactly(appended).await?;
    equal(
        "the epoch of a page",
        trial.log.read(None, 0, 1).await?.epoch,
        head.epoch(),
    )
}

async fn new_history<S: Subject>(trial: &Trial<S>, head: Position) -> Verdict<Position> {
    let new = trial.log.head().await?.position;
    ensure!(
        new.epoch() != head.epoch(),
        "the epoch is {} as before, although what was appended may be lost",
        new.epoch()
    );
    Ok(new)
}
