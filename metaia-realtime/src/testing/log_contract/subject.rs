//! What an embedder says of a log, so that it can be tested.

use std::{future::Future, time::Duration};

use crate::{EventLog, log::Retention};

/// A place where a log of the kind under test can be: a folder, a collection, or nothing at all for
/// a log in memory.
///
/// Each check takes a new place and has one log open in it at a time. What goes wrong here is said
/// with a panic.
pub trait Subject: Send + Sync + 'static {
    /// The log.
    type Log: EventLog;

    /// Whether what was appended is still there when the log is opened again. Such a log keeps its
    /// epoch then; any other must have a new one.
    const DURABLE: bool;

    /// A new place, with nothing in it.
    fn new() -> Self;

    /// Opens the log of this place.
    fn open(&self, retention: Retention) -> impl Future<Output = Self::Log> + Send;

    /// Removes what is beyond the retention, and returns when that is done. A log that does it by
    /// itself, with each append, has nothing to do here.
    fn trim(&self, log: &Self::Log) -> impl Future<Output = ()> + Send;

    /// Ends the log in an orderly way. Unless it says otherwise, it is dropped.
    fn close(&self, log: Self::Log) -> impl Future<Output = ()> + Send {
        async { drop(log) }
    }

    /// Ends the log as roughly as this process can without ending itself. Unless it says otherwise,
    /// it is dropped. What `kill -9` does is tested by [`killed`](super::killed).
    fn crash(&self, log: Self::Log) -> impl Future<Output = ()> + Send {
        async { drop(log) }
    }

    /// Lets `time` pass for the log, where its clock can be moved, and answers whether it could.
    /// Without it, trimming by age is tested with what is too old at once, and what never will be.
    fn pass(&self, log: &Self::Log, time: Duration) -> bool {
        let _ = (log, time);
        false
    }
}

/// A [`Subject`] that another process can open too, so that this process can be killed over it.
pub trait Shared: Subject {
    /// What names the place: a path, say. Text that fits into an environment variable.
    fn address(&self) -> String;

    /// The place with that name. It does not remove it when it is dropped.
    fn at(address: &str) -> Self;

    /// How a process ends itself, where a log can be told to: an environment variable that names a
    /// point in the middle of its work. Without it, and where it does not come to that point, the
    /// process is killed from outside.
    fn end(&self, kill: usize) -> Option<(&'static str, String)> {
        let _ = kill;
        None
    }
}
