//! Waits with one generous deadline, for events outside of the test.

use std::{future::Future, time::Duration};

/// The deadline of [`eventually`] and [`within`], 20 s: longer than any step of a passing test
/// takes.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

const POLL_PAUSE: Duration = Duration::from_millis(5);

/// Waits for `future`, up to [`WAIT_TIMEOUT`].
///
/// # Panics
/// Panics with `what` after the deadline.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(WAIT_TIMEOUT, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Waits until `holds` returns true, up to [`WAIT_TIMEOUT`]. It is called every 5 ms.
///
/// # Panics
/// Panics with `what` after the deadline.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let holding = async {
        while !holds() {
            tokio::time::sleep(POLL_PAUSE).await;
        }
    };
    within(what, holding).await;
}
