//! The decision after each outcome of a try, without a database.

use mongodb::bson::doc;
use serde_json::json;

use super::*;
use crate::{
    NewEntry, Position,
    log::LogError,
    mongo::{
        bson::from_uuid,
        commit::{caller::WaitingCaller, commit_point::CommitPoint, job::CommitJob},
        fault::MongoFault,
        records::NoRecords,
    },
    values::Epoch,
};

type Appending = WaitingCaller<Vec<Position>>;

const ME: Uuid = Uuid::from_u128(1);

fn version(epoch: u64, turn: i64) -> HeadVersion {
    HeadVersion {
        epoch: Epoch::from_bits(epoch),
        turn,
        n: 0,
        id: EventId::from_bytes([0; 16]),
    }
}

/// Returns a head in this state, which names the last batches of committers.
fn head(version: HeadVersion, recent: &[(Uuid, Uuid)]) -> HeadRecord {
    let mut document = HeadRecord::first(version.n, version.id);
    document.insert("epoch", version.epoch.to_bits().cast_signed());
    document.insert("turn", version.turn);
    let recent: Vec<_> = recent
        .iter()
        .map(|(by, batch)| doc! { "by": from_uuid(*by), "batch": from_uuid(*batch) })
        .collect();
    document.insert("recent", recent);
    HeadRecord::read(&document).unwrap()
}

fn entry() -> NewEntry {
    NewEntry::event([], ("e", json!({}))).unwrap()
}

/// Returns an attempt to append an entry in each of `count` jobs, and the callers.
fn attempt(count: usize) -> (Attempt<NoRecords>, Vec<Appending>) {
    let (jobs, callers) = (0..count).map(|_| CommitJob::append(vec![entry()])).unzip();
    (Attempt::new(ME, jobs, Some(version(1, 5))), callers)
}

fn plan(attempt: &Attempt<NoRecords>) -> PlannedTry {
    attempt.plan(attempt.head().expect("a head"), (), 0)
}

/// Makes a try that passes its commit point and whose outcome is unknown. Returns its batch.
fn try_with_unknown_outcome(attempt: &mut Attempt<NoRecords>) -> Uuid {
    let tried = plan(attempt);
    let batch = tried.batch.id;
    assert!(CommitPoint::new(attempt.callers()).pass());
    attempt.keep_unresolved(tried);
    let unknown = TryError::Unknown(MongoFault::TimedOut);
    let step = attempt.next_step(&unknown, Instant::now());
    assert!(matches!(step, NextStep::Pause(_)), "{step:?}");
    batch
}

fn fail(attempt: &mut Attempt<NoRecords>, error: TryError) -> NextStep {
    attempt.next_step(&error, Instant::now())
}

/// Drops all jobs, and checks the error of each caller.
async fn check_errors(attempt: Attempt<NoRecords>, callers: Vec<Appending>, is_unknown: bool) {
    drop(attempt);
    for caller in callers {
        let error = caller.wait().await.unwrap_err();
        assert_eq!(matches!(error, LogError::Unknown(_)), is_unknown, "{error}");
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_looked_up_and_a_stored_try_finishes_its_jobs() {
    let (mut attempt, callers) = attempt(2);
    let stored = try_with_unknown_outcome(&mut attempt);
    assert_eq!(attempt.head(), None, "the head must be read");
    let other = (Uuid::from_u128(2), Uuid::from_u128(9));
    let found = attempt.resolve(&head(version(1, 8), &[other, (ME, stored)]));
    found.expect("the try is stored").hand_over();
    for (caller, n) in callers.into_iter().zip(1..) {
        assert_eq!(caller.wait().await.unwrap()[0].n(), n);
    }
    assert!(!attempt.keep_awaited_jobs());
    assert_eq!(attempt.head(), Some(version(1, 8)));
}

#[tokio::test]
async fn of_several_unknown_outcomes_the_one_that_the_head_names_is_stored() {
    let (mut attempt, callers) = attempt(1);
    let first = try_with_unknown_outcome(&mut attempt);
    assert!(attempt.resolve(&head(version(1, 5), &[])).is_none());
    let second = try_with_unknown_outcome(&mut attempt);
    let found = attempt.resolve(&head(version(1, 6), &[(ME, first)]));
    let found = found.expect("the first try is stored");
    assert_eq!(found.batch.id, first);
    assert_ne!(found.batch.id, second);
    found.hand_over();
    for caller in callers {
        caller.wait().await.unwrap();
    }
}

/// Reads the head as `read` after an unknown outcome, and checks if the jobs may still be stored.
async fn check_unnamed(read: HeadVersion, may_be_stored: bool) {
    let (mut attempt, callers) = attempt(1);
    let batch = try_with_unknown_outcome(&mut attempt);
    // Another committer's batch, or another batch of this one, is not the try.
    let recent = [(Uuid::from_u128(2), batch), (ME, Uuid::from_u128(9))];
    assert!(attempt.resolve(&head(read, &recent)).is_none());
    assert_eq!(attempt.head(), Some(read));
    assert_eq!(plan(&attempt).batch.before, read);
    check_errors(attempt, callers, may_be_stored).await;
}

#[tokio::test]
async fn an_unknown_outcome_stays_unknown_until_the_head_has_moved_past_the_try() {
    check_unnamed(version(1, 5), true).await;
    // After a failover the head may look older than it was.
    check_unnamed(version(1, 4), true).await;
    check_unnamed(version(1, 6), false).await;
    check_unnamed(version(2, 5), false).await;
}

#[tokio::test]
async fn a_later_failure_does_not_make_an_unknown_outcome_certain() {
    let (mut attempt, callers) = attempt(1);
    try_with_unknown_outcome(&mut attempt);
    fail(&mut attempt, TryError::Failed(MongoFault::TimedOut));
    assert!(attempt.resolve(&head(version(1, 5), &[])).is_none());
    fail(&mut attempt, TryError::Conflict);
    check_errors(attempt, callers, true).await;
}

#[tokio::test]
async fn a_head_that_has_moved_is_read_again_and_nothing_is_stored() {
    let (mut attempt, callers) = attempt(2);
    // On a standalone server the commit itself finds that the head has moved.
    assert!(CommitPoint::new(attempt.callers()).pass());
    let step = fail(&mut attempt, TryError::HeadMoved);
    let NextStep::WaitForTurn { abort_idle, pause } = step else {
        panic!("{step:?}");
    };
    assert!(!abort_idle && pause <= CONTENTION_PAUSE, "{step:?}");
    assert_eq!(attempt.head(), None, "the head must be read");
    assert!(attempt.resolve(&head(version(1, 7), &[])).is_none());
    assert_eq!(plan(&attempt).batch.before, version(1, 7));
    check_errors(attempt, callers, false).await;
}

#[test]
fn transactions_of_dead_nodes_are_aborted_whenever_the_contention_lasts_too_long() {
    let (mut attempt, _callers) = attempt(1);
    let start = Instant::now();
    let mut aborts = Vec::new();
    for ms in (0..=4_000).step_by(100) {
        let now = start + Duration::from_millis(ms);
        // A transaction that locks the head shows as a conflict.
        let step = attempt.next_step(&TryError::Conflict, now);
        if matches!(
            step,
            NextStep::WaitForTurn {
                abort_idle: true,
                ..
            }
        ) {
            aborts.push(ms);
        }
    }
    assert_eq!(aborts, [1_300, 2_600, 3_900]);
}

#[test]
fn the_pauses_grow_with_each_failure_of_the_database_and_start_again_with_the_next_attempt() {
    let pause = |attempt: &mut Attempt<NoRecords>| match fail(
        attempt,
        TryError::Failed(MongoFault::TimedOut),
    ) {
        NextStep::Pause(pause) => pause,
        other => panic!("{other:?}"),
    };
    let (mut failing, _callers) = attempt(1);
    assert!(pause(&mut failing) <= Duration::from_millis(30));
    let last = (0..6).map(|_| pause(&mut failing)).last().unwrap();
    assert!(last >= MAX_PAUSE / 2, "{last:?}");
    let (mut next, _callers) = attempt(1);
    assert!(pause(&mut next) <= Duration::from_millis(30));
}

#[tokio::test]
async fn a_caller_that_stops_waiting_before_the_commit_point_takes_its_job_along() {
    let (mut attempt, mut callers) = attempt(2);
    drop(callers.pop());
    let point = CommitPoint::new(attempt.callers());
    assert!(!point.pass());
    assert_eq!(fail(&mut attempt, TryError::Abandoned), NextStep::TryAgain);
    assert!(attempt.keep_awaited_jobs());
    assert!(attempt.resolve(&head(version(1, 5), &[])).is_none());
    assert_eq!(plan(&attempt).batch.entries.len(), 1);
    // The first job was marked before the second one stopped the try. It is not stored.
    check_errors(attempt, callers, false).await;
}

#[tokio::test]
async fn a_caller_that_stops_waiting_after_the_commit_point_does_not_stop_the_batch() {
    let (mut attempt, mut callers) = attempt(2);
    let tried = plan(&attempt);
    let point = CommitPoint::new(attempt.callers());
    assert!(point.pass());
    drop(callers.pop());
    assert!(!point.abandon());
    assert_eq!(tried.batch.entries.len(), 2);
    attempt.record_stored(tried.batch.after);
    tried.hand_over();
    let positions = callers.remove(0).wait().await.unwrap();
    assert_eq!(positions[0].n(), 1);
    assert_eq!(attempt.head().map(|head| (head.turn, head.n)), Some((6, 2)));
}

#[test]
fn jobs_whose_records_are_always_stale_are_tried_one_by_one() {
    let (mut attempt, _callers) = attempt(3);
    for _ in 1..MAX_STALE_TRIES {
        let step = fail(&mut attempt, TryError::Stale);
        assert!(
            matches!(step, NextStep::Pause(pause) if pause <= CONTENTION_PAUSE),
            "{step:?}"
        );
    }
    assert_eq!(fail(&mut attempt, TryError::Stale), NextStep::OneByOne);
    assert_eq!(attempt.into_jobs().len(), 3);
}

#[test]
fn jobs_of_which_one_panics_are_tried_one_by_one_at_once() {
    let (mut attempt, _callers) = attempt(3);
    let step = fail(&mut attempt, TryError::PlanPanicked);
    assert_eq!(step, NextStep::OneByOne);
    assert_eq!(attempt.into_jobs().len(), 3);
}

#[test]
fn jobs_of_which_one_panics_stay_together_while_an_outcome_is_unknown() {
    let (mut attempt, _callers) = attempt(3);
    try_with_unknown_outcome(&mut attempt);
    let step = fail(&mut attempt, TryError::PlanPanicked);
    assert!(matches!(step, NextStep::Pause(_)), "{step:?}");
    assert!(attempt.resolve(&head(version(1, 6), &[])).is_none());
    let step = fail(&mut attempt, TryError::PlanPanicked);
    assert_eq!(step, NextStep::OneByOne);
}

#[test]
fn jobs_stay_together_while_an_outcome_is_unknown() {
    let (mut attempt, _callers) = attempt(3);
    try_with_unknown_outcome(&mut attempt);
    for _ in 0..MAX_STALE_TRIES * 2 {
        let step = fail(&mut attempt, TryError::Stale);
        assert!(matches!(step, NextStep::Pause(_)), "{step:?}");
    }
    assert!(attempt.resolve(&head(version(1, 6), &[])).is_none());
    assert_eq!(fail(&mut attempt, TryError::Stale), NextStep::OneByOne);
}

#[tokio::test]
async fn an_entry_that_the_log_has_already_keeps_its_number() {
    let (mut attempt, callers) = attempt(2);
    let logged = plan(&attempt).batch.event_ids().next().unwrap();
    attempt.learn_known_entries(HashMap::from([(logged, 3)]));
    assert_eq!(
        fail(&mut attempt, TryError::AlreadyLogged),
        NextStep::TryAgain
    );
    let before = HeadVersion {
        n: 8,
        ..version(1, 9)
    };
    assert!(attempt.resolve(&head(before, &[])).is_none());
    let tried = plan(&attempt);
    assert_eq!(tried.batch.entries.len(), 1);
    tried.hand_over();
    let mut numbers = Vec::new();
    for caller in callers {
        numbers.push(caller.wait().await.unwrap()[0].n());
    }
    assert_eq!(numbers, [3, 9]);
}
