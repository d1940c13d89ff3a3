//! Opening a log again: after it was closed, and after it crashed.

use super::{Subject, Trial, Verdict, ensure, equal, sample};
use crate::{NewEntry, Position};

pub(super) async fn closed<S: Subject>() -> Verdict {
    check_reopened::<S, _>(Trial::reopened).await
}

pub(super) async fn crashed<S: Subject>() -> Verdict {
    check_reopened::<S, _>(Trial::crashed).await
}

/// Checks that a durable log continues where it was, and that any other, which has lost entries
/// that were seen, has a new epoch.
async fn check_reopened<S: Subject, F: Future<Output = Trial<S>>>(
    reopen: impl Fn(Trial<S>) -> F,
) -> Verdict {
    let mut trial = Trial::<S>::new().await;
    let mut appended = Vec::new();
    // Also an empty log has a past: clients have received its position.
    let mut head = trial.log.head().await?.position;
    for count in [0, 5, 1] {
        let entries = sample::in_subsets(&sample::rooms(), count);
        let positions = trial.log.append_at(&entries).await?;
        head = positions.last().copied().unwrap_or(head);
        appended.extend(entries);
        trial = reopen(trial).await;
        if S::DURABLE {
            check_continues(&trial, head, &appended).await?;
        } else {
            appended.clear();
            head = check_new_epoch(&trial, head).await?;
        }
    }
    Ok(())
}

async fn check_continues<S: Subject>(
    trial: &Trial<S>,
    head: Position,
    appended: &[NewEntry],
) -> Verdict {
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

async fn check_new_epoch<S: Subject>(trial: &Trial<S>, head: Position) -> Verdict<Position> {
    let new = trial.log.head().await?.position;
    ensure!(
        new.epoch() != head.epoch(),
        "the epoch is {} as before, although appended entries may be lost",
        new.epoch()
    );
    Ok(new)
}
