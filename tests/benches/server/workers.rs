//! Parallel callers. Each one sends one request after the other, as a connection of a backend does.

use tokio::time::Instant;

use crate::recorder::Recorder;

/// The result of all callers.
#[derive(Debug)]
pub(crate) struct Done {
    /// The number of operations per second of all callers together.
    pub(crate) per_second: f64,
    /// The duration of each operation.
    pub(crate) took: Recorder,
}

/// Runs this number of callers to their end.
pub(crate) async fn run_parallel<W, F>(callers: usize, work: W) -> Done
where
    W: Fn(usize, Recorder) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let took = Recorder::new();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| tokio::spawn(work(caller, took.clone())))
        .collect();
    for task in tasks {
        task.await.expect("a caller does not panic");
    }
    Done {
        per_second: took.len() as f64 / begun.elapsed().as_secs_f64(),
        took,
    }
}

/// Awaits a future and records its duration.
pub(crate) async fn timed<T>(took: &Recorder, doing: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = doing.await;
    took.note(begun.elapsed());
    done
}

/// Runs this number of tasks at the same time and returns their results by index.
pub(crate) async fn run_all<T, F>(count: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(make(n))).collect();
    let mut all = Vec::with_capacity(count);
    for task in tasks {
        all.push(task.await.expect("a task does not panic"));
    }
    all
}
