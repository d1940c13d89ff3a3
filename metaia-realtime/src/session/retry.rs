//! Retries of operations that may fail for a while, up to a deadline.

use std::time::Duration;

use tokio::time::{Instant, error::Elapsed};

use crate::{device::DeviceError, log::LogError};

/// The time for which a session waits for the log, or for the position of its client. After that
/// its transport is closed, and the client reconnects.
pub(super) const LOG_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two attempts.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Retries an operation on the log while it fails, for up to 10 s (`LOG_TIMEOUT`).
///
/// # Errors
/// The error of the last attempt, or [`LogError::Unavailable`] if it did not return in time.
pub(super) async fn retry_log<T, F>(attempt: impl FnMut() -> F) -> Result<T, LogError>
where
    F: Future<Output = Result<T, LogError>>,
{
    retry_in_time(attempt, |late| LogError::Unavailable(late.into())).await
}

/// Retries an operation on the store of devices while it fails, for up to 10 s (`LOG_TIMEOUT`).
///
/// # Errors
/// The error of the last attempt, or one that says that it did not return in time.
pub(super) async fn retry_devices<T, F>(attempt: impl FnMut() -> F) -> Result<T, DeviceError>
where
    F: Future<Output = Result<T, DeviceError>>,
{
    retry_in_time(attempt, DeviceError::new).await
}

async fn retry_in_time<T, E, F>(
    mut attempt: impl FnMut() -> F,
    late: impl Fn(Elapsed) -> E,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let deadline = Instant::now() + LOG_TIMEOUT;
    let attempt_in_time = || {
        let attempt = tokio::time::timeout_at(deadline, attempt());
        async { attempt.await.unwrap_or_else(|elapsed| Err(late(elapsed))) }
    };
    retry_while(Result::is_err, deadline, attempt_in_time).await
}

/// Repeats `attempt` while `is_transient` holds for its outcome, until there is no time left for
/// another pause before `deadline`. Returns the last outcome.
pub(super) async fn retry_while<T, F: Future<Output = T>>(
    is_transient: impl Fn(&T) -> bool,
    deadline: Instant,
    mut attempt: impl FnMut() -> F,
) -> T {
    loop {
        let outcome = attempt().await;
        if !is_transient(&outcome) || Instant::now() + RETRY_PAUSE >= deadline {
            return outcome;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
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
    async fn a_log_that_comes_back_in_time_is_read() {
        let began = Instant::now();
        let attempt = || async move {
            if began.elapsed() < LOG_TIMEOUT / 2 {
                unavailable()
            } else {
                Ok(7)
            }
        };
        assert_eq!(retry_log(attempt).await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_stays_away_is_given_up_after_the_timeout() {
        let began = Instant::now();
        let attempts = Cell::new(0);
        let attempt = || {
            attempts.set(attempts.get() + 1);
            std::future::ready(unavailable::<()>())
        };
        assert!(retry_log(attempt).await.is_err());
        assert!((LOG_TIMEOUT / 2..=LOG_TIMEOUT).contains(&began.elapsed()));
        assert!(attempts.get() < 50);
        let never = std::future::pending::<Result<(), _>>;
        assert!(retry_log(never).await.is_err());
    }
}
