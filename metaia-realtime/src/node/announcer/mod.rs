//! A node announces its sessions: what has changed, twice a second and in batches, and that it is
//! there, every 5 s.
//!
//! Whose session changed is noted by id, once, and looked up when it is announced. Beyond twice as
//! many as there may be sessions the notes are let go, and all is announced anew. The same where an
//! announcement failed, since nobody knows what became of it, and where the directory says that the
//! lease was over.

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::presence::{DirectoryError, DynDirectory, LEASE, SessionChange};
use crate::{
    SessionId,
    node::{Node, session_view},
    values::time,
};

/// How long a change may wait.
const EVERY: Duration = Duration::from_millis(500);
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// Changes per write.
const BATCH: usize = 1_000;
/// The directory is waited for so long.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same at the end of the node.
const LAST: Duration = Duration::from_millis(1_500);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is announced who was active.
const ACTIVE: Duration = Duration::from_secs(300);

/// What a node has yet to announce.
pub(crate) struct Announcer {
    /// `None`: this node is alone.
    directory: Option<Arc<dyn DynDirectory>>,
    waiting: Mutex<Waiting>,
    most: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    changed: HashSet<SessionId>,
    too_many: bool,
}

impl Announcer {
    pub(crate) fn new(directory: Option<Arc<dyn DynDirectory>>, sessions: usize) -> Self {
        Self {
            directory,
            waiting: Mutex::default(),
            most: sessions.saturating_mul(2),
        }
    }

    pub(crate) fn directory(&self) -> Option<&dyn DynDirectory> {
        self.directory.as_deref()
    }

    /// Returns whether there is a directory to announce to.
    pub(crate) const fn has_directory(&self) -> bool {
        self.directory.is_some()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session has come, gone, or is in other rooms.
    pub(crate) fn changed(&self, session: SessionId) {
        if self.directory.is_none() {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.changed.len() < self.most {
            waiting.changed.insert(session);
        } else {
            *waiting = Waiting {
                too_many: true,
                ..Waiting::default()
            };
        }
    }

    fn changed_all(&self, sessions: impl IntoIterator<Item = SessionId>) {
        self.waiting().changed.extend(sessions);
    }

    /// The next of those that changed, and whether there were too many to know them all.
    fn next(&self) -> (Vec<SessionId>, bool) {
        let mut waiting = self.waiting();
        let next: Vec<SessionId> = waiting.changed.iter().take(BATCH).copied().collect();
        for id in &next {
            waiting.changed.remove(id);
        }
        (next, waiting.too_many)
    }

    fn forget(&self) {
        *self.waiting() = Waiting::default();
    }
}

/// Runs until the node stops, and takes its sessions with it.
pub(crate) async fn run(node: Arc<Node>) {
    let Some(directory) = node.announcer.directory.clone() else {
        return;
    };
    let mut announcing = Announcing::new(&node, &*directory);
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = node.stopping.cancelled() => break,
            _ = every.tick() => if !announcing.step().await { every.reset_after(PAUSE) },
        }
    }
    if !matches!(timeout(LAST, directory.leave(node.id)).await, Ok(Ok(()))) {
        tracing::info!(
            "the directory was not told that this node leaves; its lease ends by itself"
        );
    }
}

/// The task's own state.
struct Announcing<'a> {
    node: &'a Node,
    directory: &'a dyn DynDirectory,
    /// When the lease was last renewed, if all that was announced since it began is there for
    /// certain.
    renewed: Option<Instant>,
    looked_for_active: (Instant, i64),
    failing: bool,
}

impl<'a> Announcing<'a> {
    fn new(node: &'a Node, directory: &'a dyn DynDirectory) -> Self {
        let looked_for_active = (Instant::now(), time::unix_ms());
        Self {
            node,
            directory,
            renewed: None,
            looked_for_active,
            failing: false,
        }
    }

    /// Announces what there is. `false`: it failed, and all is announced anew next time.
    async fn step(&mut self) -> bool {
        self.look_for_active();
        let done = self.try_step().await;
        if let Err(error) = &done {
            self.renewed = None;
            if !self.failing {
                let error: &dyn std::error::Error = error;
                tracing::warn!(
                    error,
                    "sessions cannot be announced to other nodes; trying again"
                );
            }
        } else if self.failing {
            tracing::info!("sessions are announced to other nodes again");
        }
        self.failing = done.is_err();
        done.is_ok()
    }

    async fn try_step(&mut self) -> Result<(), DirectoryError> {
        loop {
            self.be_there().await?;
            let (changed, too_many) = self.node.announcer.next();
            if too_many {
                self.renewed = None;
            } else if changed.is_empty() {
                return Ok(());
            } else {
                let changes = changed.iter().map(|id| self.now(*id)).collect();
                in_time(self.directory.announce(self.node.id, changes)).await?;
            }
        }
    }

    /// Begins, or renews the lease where it is time to.
    async fn be_there(&mut self) -> Result<(), DirectoryError> {
        let now = Instant::now();
        let view = self.node.view();
        match self.renewed {
            Some(renewed) if now < renewed + RENEWED_EVERY => return Ok(()),
            Some(_) if in_time(self.directory.renew(&view, LEASE)).await? => {}
            _ => {
                in_time(self.directory.begin(&view, LEASE)).await?;
                // In this order: who comes in between is noted, or among all.
                self.node.announcer.forget();
                let all = self.node.registry.all();
                self.node
                    .announcer
                    .changed_all(all.iter().map(|session| session.id));
            }
        }
        self.renewed = Some(now);
        Ok(())
    }

    /// What has become of it.
    fn now(&self, id: SessionId) -> SessionChange {
        let session = self.node.registry.session(id);
        session.map_or(SessionChange::Gone(id), |session| {
            SessionChange::Here(session_view(self.node.id, &session))
        })
    }

    /// Those who did something since this was last looked at count as changed.
    fn look_for_active(&mut self) {
        let (looked, since) = self.looked_for_active;
        if looked.elapsed() >= ACTIVE {
            self.looked_for_active = (Instant::now(), time::unix_ms());
            let sessions = self.node.registry.all();
            let active = sessions
                .iter()
                .filter(|session| session.active_at() >= since);
            active.for_each(|session| self.node.announcer.changed(session.id));
        }
    }
}

async fn in_time<T>(
    asked: impl Future<Output = Result<T, DirectoryError>>,
) -> Result<T, DirectoryError> {
    timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|late| Err(DirectoryError(late.into())))
}
