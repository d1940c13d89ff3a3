//! Bounded waits for outside processes. Each wait names what it waited for when it fails.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

/// The longest time that anything may take before a test gives up. It is generous: a busy machine
/// is not a defect.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Calls `ask` every 25 ms until it returns a value, and returns that value. Panics with `what`
/// after [`DEADLINE`].
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

/// Waits for a future and returns its output. Panics with `what` after [`DEADLINE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(DEADLINE, future).await;
    answer.unwrap_or_else(|_| panic!("waited {DEADLINE:?} for {what}"))
}
