//! Waiting for the outside: bounded, and it says what it waited for.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

/// How long anything may take before a test gives up: generous, because a busy machine is not a
/// defect.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer; panics with `what` after [`DEADLINE`].
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    let mut pace = interval(Duration::from_millis(25));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asking = async {
        loop {
            pace.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    timeout_at(deadline, asking)
        .await
        .unwrap_or_else(|_| panic!("waited {DEADLINE:?} for {what}"))
}

/// Waits for a future; panics with `what` after [`DEADLINE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(DEADLINE, future).await;
    answer.unwrap_or_else(|_| panic!("waited {DEADLINE:?} for {what}"))
}
