//! Runs a check: on a runtime of its own, with a deadline, and with panics caught.

use std::{any::Any, future::Future, time::Duration};

use super::Verdict;

/// The deadline of a check, longer than any that passes takes.
const CHECK_TIMEOUT: Duration = Duration::from_secs(60);

/// More than one worker thread, so that concurrent tasks of a check run in parallel.
const THREADS: usize = 4;

/// Runs a check on a thread of its own, because the caller's may have a runtime already.
pub(in crate::testing) fn on_runtime<F: Future<Output = Verdict>>(
    check: impl FnOnce() -> F + Send,
) -> Verdict {
    let joined = std::thread::scope(|scope| scope.spawn(|| run(check())).join());
    joined.unwrap_or_else(|panic| Err(format!("a panic: {}", panic_text(&*panic))))
}

fn run(check: impl Future<Output = Verdict>) -> Verdict {
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build();
    let runtime = built.map_err(|error| format!("there is no runtime: {error}"))?;
    let ended = runtime.block_on(async { tokio::time::timeout(CHECK_TIMEOUT, check).await });
    // In the background, because a task that hangs would block it for ever.
    runtime.shutdown_background();
    ended.unwrap_or_else(|_| Err(format!("no end within {CHECK_TIMEOUT:?}")))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text")
}
