//! One check's place and the log in it, which a check can open again.

use super::{LogProbe, Subject};
use crate::log::Retention;

/// A place with an open log.
pub(super) struct Trial<S: Subject> {
    subject: S,
    retention: Retention,
    pub(super) log: LogProbe<S::Log>,
}

impl<S: Subject> Trial<S> {
    /// Opens a new log that keeps everything that a check appends.
    pub(super) async fn new() -> Self {
        Self::keeping(Retention::DISK).await
    }

    pub(super) async fn keeping(retention: Retention) -> Self {
        let subject = S::new();
        let log = LogProbe::new(subject.open(retention).await);
        Self {
            subject,
            retention,
            log,
        }
    }

    /// Closes the log and opens it again.
    pub(super) async fn reopened(self) -> Self {
        let retention = self.retention;
        self.reopened_keeping(retention).await
    }

    pub(super) async fn reopened_keeping(self, retention: Retention) -> Self {
        self.subject.close(self.log.into_log()).await;
        let log = LogProbe::new(self.subject.open(retention).await);
        Self {
            log,
            retention,
            ..self
        }
    }

    /// Crashes the log and opens it again.
    pub(super) async fn crashed(self) -> Self {
        self.subject.crash(self.log.into_log()).await;
        let log = LogProbe::new(self.subject.open(self.retention).await);
        Self { log, ..self }
    }

    pub(super) async fn trim(&self) {
        self.subject.trim(self.log.log()).await;
    }

    /// Moves the log's clock forward and trims. Returns whether the clock can be moved.
    pub(super) async fn passed(&self, time: std::time::Duration) -> bool {
        let passed = self.subject.pass(self.log.log(), time);
        self.trim().await;
        passed
    }
}
