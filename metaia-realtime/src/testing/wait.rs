//! Waiting for the outside, with one generous deadline.

use std::{future::Future, time::Duration};

/// How long [`eventually`] and [`within`] wait: longer than anything takes where all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `future`, but not for ever.
///
/// # Panics
/// After [`PATIENCE`], saying what was waited for.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Waits until `holds`, looking again and again, but not for ever.
///
/// # Panics
/// After [`PATIENCE`], saying what was waited for.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    within(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
