//! The subject of the checks: a kind of log, and the ways to open, trim and end it.

use std::{future::Future, time::Duration};

use crate::{EventLog, log::Retention};

/// A place for a log of the kind under test: a folder, a collection, or nothing at all for a log in
/// memory.
///
/// Each check creates a new place and has one log open in it at a time. A method that fails panics.
pub trait Subject: Send + Sync + 'static {
    /// The log.
    type Log: EventLog;

    /// Set if appended entries still exist when the log is opened again. Such a log must keep its
    /// epoch; any other must have a new one.
    const DURABLE: bool;

    /// Creates a new, empty place.
    fn new() -> Self;

    /// Opens the log of this place.
    fn open(&self, retention: Retention) -> impl Future<Output = Self::Log> + Send;

    /// Removes the entries beyond the retention, and returns when that is done. For a log that
    /// trims with each append this does nothing.
    fn trim(&self, log: &Self::Log) -> impl Future<Output = ()> + Send;

    /// Closes the log in an orderly way. The default drops it.
    fn close(&self, log: Self::Log) -> impl Future<Output = ()> + Send {
        async { drop(log) }
    }

    /// Ends the log as abruptly as possible without ending this process. The default drops it.
    /// [`killed`](super::killed) tests `kill -9`.
    fn crash(&self, log: Self::Log) -> impl Future<Output = ()> + Send {
        async { drop(log) }
    }

    /// Moves the log's clock forward by `time`, and returns whether that is possible. If it is not,
    /// trimming by age is tested only with entries that are too old at once, and with entries that
    /// never are.
    fn pass(&self, log: &Self::Log, time: Duration) -> bool {
        let _ = (log, time);
        false
    }
}

/// A [`Subject`] that another process can open too, so that a test can kill that process.
pub trait KillableSubject: Subject {
    /// Returns the name of the place, for example a path. It must fit into an environment variable.
    fn address(&self) -> String;

    /// Returns the place with that name. Dropping it must not remove the place.
    fn at(address: &str) -> Self;

    /// Returns the environment variable that tells the log to end its process at a point in the
    /// middle of its work, if the log can do that. Otherwise, and if the process does not reach
    /// that point, it is killed from outside.
    fn end(&self, kill: usize) -> Option<(&'static str, String)> {
        let _ = kill;
        None
    }
}
