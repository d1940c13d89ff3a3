//! Waits as long as a server asks for (`Retry-After`), within a bound.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::printer::Printer;

/// The shortest time between two attempts, also if the server asks for none.
const MIN_WAIT: Duration = Duration::from_millis(500);

/// The waiting that the attempts of one request or connection may do together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitBudget {
    latest: Instant,
}

impl WaitBudget {
    /// Starts a budget of half the time limit.
    pub(crate) fn start(timeout: Duration) -> Self {
        Self {
            latest: Instant::now() + timeout / 2,
        }
    }

    /// Returns the time to wait before the next attempt; `None` if the answer asks for none, or if
    /// the budget is too small for it.
    pub(crate) fn wait(&self, status: u16, asked: Option<Duration>) -> Option<Duration> {
        let wait = asked.filter(|_| matches!(status, 429 | 503))?.max(MIN_WAIT);
        let next = Instant::now().checked_add(wait)?;
        (next <= self.latest).then_some(wait)
    }
}

/// Says why there is another attempt, and waits for it.
pub(crate) async fn wait_for_next(printer: &Printer, reason: &str, wait: Duration) {
    let seconds = wait.as_secs_f64();
    let reason = reason.trim_end_matches('.');
    printer.note(&format!(
        "{reason}; trying again in {seconds:.1} s (Retry-After)"
    ));
    sleep(wait).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_waiting_of_all_attempts_is_bounded() {
        let seconds = |s| Some(Duration::from_secs(s));
        let budget = WaitBudget::start(Duration::from_secs(10));
        assert_eq!(budget.wait(503, seconds(5)), seconds(5));
        assert_eq!(budget.wait(429, seconds(2)), seconds(2));
        assert_eq!(budget.wait(503, seconds(0)), Some(MIN_WAIT));
        for (status, asked) in [
            (503, seconds(6)),
            (503, seconds(u64::MAX)),
            (503, None),
            (500, seconds(1)),
        ] {
            assert_eq!(budget.wait(status, asked), None, "{status} {asked:?}");
        }
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(budget.wait(503, seconds(1)), seconds(1));
        assert_eq!(budget.wait(503, seconds(2)), None);
    }
}
