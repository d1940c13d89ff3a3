//! Trying again what may mend by itself, but not for ever.

use std::time::Duration;

use tokio::time::Instant;

use crate::log::LogError;

/// While the log cannot be read a session waits so long; then its transport is closed, and the
/// client comes back.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

/// Tries again while the log cannot be read, but not for ever.
pub(super) async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, LogError>
where
    F: Future<Output = Result<T, LogError>>,
{
    let deadline = Instant::now() + PATIENCE;
    let in_time = || {
        let attempt = tokio::time::timeout_at(deadline, attempt());
        async {
            attempt
                .await
                .unwrap_or_else(|late| Err(LogError::Unavailable(late.into())))
        }
    };
    again(deadline, in_time, Result::is_err).await
}

/// Tries again what `may_mend` by itself, until there is no time left for another pause. Answers
/// the last outcome.
pub(super) async fn again<T, F: Future<Output = T>>(
    deadline: Instant,
    mut attempt: impl FnMut() -> F,
    may_mend: impl Fn(&T) -> bool,
) -> T {
    loop {
        let outcome = attempt().await;
        if !may_mend(&outcome) || Instant::now() + PAUSE >= deadline {
            return outcome;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn unavailable<T>() -> Result<T, LogError> {
        Err(LogError::Unavailable("gone".into()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_comes_back_in_time_was_worth_waiting_for() {
        let begun = Instant::now();
        let attempt = || async move {
            if begun.elapsed() < PATIENCE / 2 {
                unavailable()
            } else {
                Ok(7)
            }
        };
        assert_eq!(patiently(attempt).await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_stays_away_is_not_waited_for_for_ever() {
        let (begun, attempts) = (Instant::now(), Cell::new(0));
        let attempt = || {
            attempts.set(attempts.get() + 1);
            std::future::ready(unavailable::<()>())
        };
        assert!(patiently(attempt).await.is_err());
        assert!((PATIENCE / 2..=PATIENCE).contains(&begun.elapsed()) && attempts.get() < 50);
        assert!(
            patiently(std::future::pending::<Result<(), _>>)
                .await
                .is_err()
        );
    }
}
