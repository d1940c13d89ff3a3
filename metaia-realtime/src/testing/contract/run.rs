//! Running a check: on a runtime of its own, with a deadline, and with panics caught.

use std::{any::Any, future::Future, time::Duration};

use super::Verdict;

/// Longer than any check takes where all is well.
const DEADLINE: Duration = Duration::from_secs(60);

/// Several, so that what runs at once does.
const THREADS: usize = 4;

/// Runs a check. On a thread of its own, since the caller's may have a runtime already.
pub(in crate::testing) fn on_runtime<F: Future<Output = Verdict>>(
    check: impl FnOnce() -> F + Send,
) -> Verdict {
    let checked = std::thread::scope(|scope| scope.spawn(|| checked(check())).join());
    checked.unwrap_or_else(|panic| Err(format!("a panic: {}", sentence(&*panic))))
}

fn checked(check: impl Future<Output = Verdict>) -> Verdict {
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build();
    let runtime = built.map_err(|error| format!("there is no runtime: {error}"))?;
    let ended = runtime.block_on(async { tokio::time::timeout(DEADLINE, check).await });
    // What hangs is not waited for once more.
    runtime.shutdown_background();
    ended.unwrap_or_else(|_| Err(format!("no end within {DEADLINE:?}")))
}

fn sentence(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text")
}
