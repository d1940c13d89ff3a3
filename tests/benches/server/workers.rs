//! Callers side by side: each does one thing after the other, as a backend's connections do.

use tokio::time::Instant;

use crate::recorder::Recorder;

/// What they did.
#[derive(Debug)]
pub(crate) struct Done {
    /// How often a second, all together.
    pub(crate) per_second: f64,
    /// How long each took.
    pub(crate) took: Recorder,
}

/// Runs so many callers to their end, and counts what they note.
pub(crate) async fn side_by_side<W, F>(callers: usize, work: W) -> Done
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
        task.await.expect("a caller");
    }
    Done {
        per_second: took.len() as f64 / begun.elapsed().as_secs_f64(),
        took,
    }
}

/// Does it, and notes how long it took.
pub(crate) async fn timed<T>(took: &Recorder, doing: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = doing.await;
    took.note(begun.elapsed());
    done
}

/// So many things at once, each answered by its number.
pub(crate) async fn each<T, F>(count: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(make(n))).collect();
    let mut all = Vec::with_capacity(count);
    for task in tasks {
        all.push(task.await.expect("one of them"));
    }
    all
}
