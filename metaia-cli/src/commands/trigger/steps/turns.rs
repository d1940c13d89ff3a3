//! The time between two steps, and the end by Ctrl-C: a step that has begun is finished, and no
//! other one begins.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The time that a step may take after Ctrl-C. It is shorter than the time that the whole command
/// has for its end.
const LAST_ANSWER_TIMEOUT: Duration = Duration::from_millis(400);

/// The turns of the steps of one flow.
#[derive(Debug)]
pub(super) struct Turns {
    pace: Duration,
    interrupted: CancellationToken,
    has_begun: AtomicBool,
}

/// Ctrl-C came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TurnsEnded;

impl Turns {
    /// Creates the turns of a flow with this time between two steps.
    pub(super) fn new(pace: Duration, interrupted: CancellationToken) -> Self {
        Self {
            pace,
            interrupted,
            has_begun: AtomicBool::new(false),
        }
    }

    /// Waits for the turn of the next step.
    pub(super) async fn next(&self) -> Result<(), TurnsEnded> {
        if self.has_begun.swap(true, Ordering::Relaxed) {
            let _ = tokio::time::timeout(self.pace, self.interrupted.cancelled()).await;
        }
        if self.interrupted.is_cancelled() {
            return Err(TurnsEnded);
        }
        Ok(())
    }

    /// Waits for the end of a step.
    pub(super) async fn finish<T>(&self, step: impl Future<Output = T>) -> Result<T, TurnsEnded> {
        let interrupted_for_long = async {
            self.interrupted.cancelled().await;
            tokio::time::sleep(LAST_ANSWER_TIMEOUT).await;
        };
        tokio::select! {
            done = step => Ok(done),
            () = interrupted_for_long => Err(TurnsEnded),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const PACE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn every_step_but_the_first_waits() {
        let began = Instant::now();
        let turns = Turns::new(PACE, CancellationToken::new());
        turns.next().await.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        turns.next().await.unwrap();
        turns.next().await.unwrap();
        assert_eq!(began.elapsed(), 2 * PACE);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupt_ends_the_wait_and_no_other_step_begins() {
        let interrupted = CancellationToken::new();
        let turns = Turns::new(PACE, interrupted.clone());
        turns.next().await.unwrap();
        let began = Instant::now();
        let second = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            interrupted.cancel();
        };
        let (next, ()) = tokio::join!(turns.next(), second);
        assert_eq!(next, Err(TurnsEnded));
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        assert_eq!(turns.next().await, Err(TurnsEnded));
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_has_begun_may_end_but_not_last() {
        let interrupted = CancellationToken::new();
        let turns = Turns::new(Duration::ZERO, interrupted.clone());
        interrupted.cancel();
        let answer = async {
            tokio::time::sleep(LAST_ANSWER_TIMEOUT / 2).await;
            7
        };
        assert_eq!(turns.finish(answer).await, Ok(7));
        let silent = turns.finish(std::future::pending::<u8>());
        assert_eq!(silent.await, Err(TurnsEnded));
    }
}
