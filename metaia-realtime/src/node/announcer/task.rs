//! The task that announces the changes and keeps the lease.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::{
    failure_log::FailureLog,
    node::{Node, session_view},
    presence::{DirectoryError, DynDirectory, LEASE, SessionChange},
    values::{SessionId, time},
};

/// The longest time that a change waits while the directory answers.
const ANNOUNCE_INTERVAL: Duration = Duration::from_millis(500);
/// The time between two renewals of the lease, which lasts for `LEASE`.
const RENEW_INTERVAL: Duration = Duration::from_secs(5);
/// The time between two announcements of the sessions that were active.
const ACTIVITY_INTERVAL: Duration = Duration::from_secs(300);
/// The time that a call of the directory may take.
const ANNOUNCE_TIMEOUT: Duration = Duration::from_secs(3);
/// The time that the last call, when the node stops, may take. A drain waits for it a little
/// longer.
pub(in crate::node) const LEAVE_TIMEOUT: Duration = Duration::from_millis(800);
/// After a call that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Runs until the node stops, then removes the node and its sessions from the directory.
pub(in crate::node) async fn run(node: Arc<Node>) {
    let Some(directory) = node.announcer.directory.clone() else {
        return;
    };
    let mut task = AnnounceTask::new(&node, &*directory);
    let mut tick = interval(ANNOUNCE_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let step = async {
            tick.tick().await;
            task.step().await
        };
        // A step that waits for the directory is dropped: what it announced goes with the node.
        match node.stopping.run_until_cancelled(step).await {
            None => break,
            Some(true) => {}
            Some(false) => tick.reset_after(RETRY_PAUSE),
        }
    }
    let left = timeout(LEAVE_TIMEOUT, directory.leave(node.id)).await;
    if !matches!(left, Ok(Ok(()))) {
        tracing::info!(
            "the directory was not told that this node leaves; its lease ends by itself"
        );
    }
}

/// The state of the task.
struct AnnounceTask<'a> {
    node: &'a Node,
    directory: &'a dyn DynDirectory,
    /// The time when the lease was last renewed. `None` if the directory may lack something that
    /// was announced: the lease is then begun again.
    renewed_at: Option<Instant>,
    activity_checked: ActivityCheck,
    failures: FailureLog,
}

/// The last search for active sessions.
struct ActivityCheck {
    at: Instant,
    /// The same, in ms since the Unix epoch.
    unix_ms: i64,
}

impl ActivityCheck {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            unix_ms: time::unix_ms(),
        }
    }
}

impl<'a> AnnounceTask<'a> {
    fn new(node: &'a Node, directory: &'a dyn DynDirectory) -> Self {
        Self {
            node,
            directory,
            renewed_at: None,
            activity_checked: ActivityCheck::now(),
            failures: FailureLog::default(),
        }
    }

    /// Announces what has changed. Returns `false` if that failed: everything is announced again
    /// next time.
    async fn step(&mut self) -> bool {
        self.note_active_sessions();
        let announced = self.announce_changes().await;
        match &announced {
            Ok(()) => self
                .failures
                .worked(|| tracing::info!("sessions are announced to other nodes again")),
            Err(error) => {
                self.renewed_at = None;
                self.failures.failed(|| {
                    let error: &dyn std::error::Error = error;
                    tracing::warn!(
                        error,
                        "sessions cannot be announced to other nodes; retrying"
                    );
                });
            }
        }
        announced.is_ok()
    }

    async fn announce_changes(&mut self) -> Result<(), DirectoryError> {
        loop {
            self.keep_lease().await?;
            let (batch, overflowed) = self.node.announcer.take_batch();
            if overflowed {
                // The next turn begins the lease again, and so announces all sessions.
                self.renewed_at = None;
                continue;
            }
            if batch.is_empty() {
                return Ok(());
            }
            let changes = batch.iter().map(|id| self.change(*id)).collect();
            in_time(self.directory.announce(self.node.id, changes)).await?;
        }
    }

    /// Renews the lease if it is time to. Begins it if there is none.
    async fn keep_lease(&mut self) -> Result<(), DirectoryError> {
        let now = Instant::now();
        let view = self.node.view();
        if let Some(renewed_at) = self.renewed_at {
            if now < renewed_at + RENEW_INTERVAL {
                return Ok(());
            }
            if in_time(self.directory.renew(&view, LEASE)).await? {
                self.renewed_at = Some(now);
                return Ok(());
            }
            // The directory has let it expire.
        }
        in_time(self.directory.begin(&view, LEASE)).await?;
        // In this order: a session that registers in between is noted, or among all.
        self.node.announcer.clear();
        let sessions = self.node.registry.all();
        self.node
            .announcer
            .note_all(sessions.iter().map(|session| session.id));
        self.renewed_at = Some(now);
        Ok(())
    }

    /// Returns what the directory is told of a session.
    fn change(&self, id: SessionId) -> SessionChange {
        match self.node.registry.session(id) {
            Some(session) => SessionChange::Here(session_view(self.node.id, &session)),
            None => SessionChange::Gone(id),
        }
    }

    /// Notes the sessions whose clients did something since the last check as changed.
    fn note_active_sessions(&mut self) {
        if self.activity_checked.at.elapsed() < ACTIVITY_INTERVAL {
            return;
        }
        let since = self.activity_checked.unix_ms;
        self.activity_checked = ActivityCheck::now();
        for session in self.node.registry.all() {
            if session.active_at() >= since {
                self.node.announcer.note_change(session.id);
            }
        }
    }
}

async fn in_time<T>(
    call: impl Future<Output = Result<T, DirectoryError>>,
) -> Result<T, DirectoryError> {
    timeout(ANNOUNCE_TIMEOUT, call)
        .await
        .unwrap_or_else(|late| Err(DirectoryError(late.into())))
}
