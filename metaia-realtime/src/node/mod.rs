//! One process of the cluster: its parts, the tasks that run on them, and the decisions that need
//! several of them.
//!
//! - What a node knows: [`registry`](self::registry) (its sessions and their rooms),
//!   [`window`](self::window) (the entries dispatched last), `devices`, `disconnects`,
//!   `replay_budget`, `counters`.
//! - What it runs: [`dispatcher`], [`housekeeping`], [`announcer`], [`doorbell`]; [`drain`] ends
//!   them all.
//! - What it decides: [`admission`](self::admission), who is let in, into which rooms, and until
//!   when.

mod admission;
mod announcer;
mod counter;
mod devices;
mod disconnects;
mod dispatcher;
mod doorbell;
mod drain;
mod housekeeping;
mod late_log;
mod parts;
mod registry;
mod replay_budget;
mod stats;
mod views;
mod volatile;
mod window;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[cfg(any(test, feature = "__bench"))]
pub(crate) use dispatcher::dispatch;
#[cfg(test)]
pub(crate) use dispatcher::{begin_again, offer_all};
pub(crate) use drain::drain;
pub(crate) use parts::NodeParts;
#[cfg(test)]
pub(crate) use registry::Entered;
pub(crate) use stats::Counters;
pub use stats::NodeStats;
pub(crate) use views::session_view;
pub(crate) use window::Window;

use crate::{
    Limits,
    access::DynOrderAccess,
    auth::DynAuthenticator,
    log::{DynEventLog, LogError},
    presence::DynDirectory,
    session::EventHandlers,
    values::{Epoch, NodeId, time},
};
use announcer::Announcer;
use devices::Devices;
use disconnects::Disconnects;
use doorbell::NodeDoorbell;
use registry::Registry;
use replay_budget::ReplayBudget;

/// A node that is further behind its log than this cannot say what is new.
const UP_TO_DATE_TIMEOUT: Duration = Duration::from_secs(10);

/// One node.
pub(crate) struct Node {
    /// What other nodes know this one by.
    id: NodeId,
    /// Since when it runs, in ms since the Unix epoch.
    since: i64,
    log: Arc<dyn DynEventLog>,
    doorbell: NodeDoorbell,
    devices: Devices,
    replay_budget: ReplayBudget,
    window: Window,
    registry: Registry,
    announcer: Announcer,
    disconnects: Disconnects,
    counters: Arc<Counters>,
    limits: Limits,
    access: Arc<dyn DynOrderAccess>,
    authenticator: Arc<dyn DynAuthenticator>,
    handlers: Arc<dyn EventHandlers>,
    /// Every task of the node. They end when `stopping` is cancelled.
    tasks: TaskTracker,
    stopping: CancellationToken,
    draining: AtomicBool,
    /// The log cannot be read here, and can be elsewhere.
    cut_off: AtomicBool,
    /// Held while a session is admitted, so that two at once do not both take the last place, and
    /// while draining begins, so that no session slips in.
    admission: Mutex<()>,
}

impl Node {
    /// Makes a node without running it.
    pub(crate) fn new(
        window: Window,
        authenticator: Arc<dyn DynAuthenticator>,
        parts: NodeParts,
    ) -> Self {
        let id = NodeId::random();
        let doorbell =
            NodeDoorbell::new(id, parts.doorbell, parts.cluster_key, parts.log.changes());
        let devices = Devices::new(parts.devices);
        devices.serve(id);
        Self {
            id,
            since: time::unix_ms(),
            announcer: Announcer::new(parts.directory, parts.limits.sessions),
            doorbell,
            window,
            log: parts.log,
            devices,
            replay_budget: ReplayBudget::new(&parts.limits),
            registry: Registry::default(),
            disconnects: Disconnects::default(),
            counters: Arc::default(),
            limits: parts.limits,
            access: parts.access,
            authenticator,
            handlers: parts.handlers,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            draining: false.into(),
            cut_off: false.into(),
            admission: Mutex::default(),
        }
    }

    /// Starts the tasks of the node. They end when it is drained.
    pub(crate) fn run(self: &Arc<Self>) {
        self.tasks.spawn(dispatcher::run(Arc::clone(self)));
        self.tasks.spawn(housekeeping::run(Arc::clone(self)));
        if self.announcer.has_directory() {
            self.tasks.spawn(announcer::run(Arc::clone(self)));
        }
        doorbell::run(self);
    }

    /// Returns the id that other nodes know this one by.
    pub(crate) const fn id(&self) -> NodeId {
        self.id
    }

    pub(crate) fn log(&self) -> &dyn DynEventLog {
        &*self.log
    }

    pub(crate) const fn doorbell(&self) -> &NodeDoorbell {
        &self.doorbell
    }

    pub(crate) const fn devices(&self) -> &Devices {
        &self.devices
    }

    pub(crate) const fn replay_budget(&self) -> &ReplayBudget {
        &self.replay_budget
    }

    pub(crate) const fn window(&self) -> &Window {
        &self.window
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the directory that the node announces its sessions to; `None` for a node that is
    /// alone.
    pub(crate) fn directory(&self) -> Option<&dyn DynDirectory> {
        self.announcer.directory()
    }

    pub(crate) const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn authenticator(&self) -> &dyn DynAuthenticator {
        &*self.authenticator
    }

    pub(crate) fn handlers(&self) -> &dyn EventHandlers {
        &*self.handlers
    }

    /// Returns the tracker that every task of the node is spawned on.
    pub(crate) const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Returns the token that is cancelled when the node's tasks are to end.
    pub(crate) const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Returns whether this node is being emptied, and so admits no session.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Returns whether the log can be read on other nodes and not on this one.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Acquire)
    }

    /// Waits until this node has dispatched all that the log has now. What follows is new to every
    /// session. Cancel safe.
    ///
    /// # Errors
    /// The log's, or [`LogError::Unavailable`] after 10 s (`UP_TO_DATE_TIMEOUT`).
    pub(crate) async fn up_to_date(&self) -> Result<(), LogError> {
        let head = self.log.head().await?.position;
        let reached = tokio::time::timeout(UP_TO_DATE_TIMEOUT, self.window.reached(head)).await;
        reached.map_err(|late| LogError::Unavailable(late.into()))
    }

    /// Returns the epoch of what this node dispatches.
    pub(crate) fn epoch(&self) -> Epoch {
        self.window.head().epoch()
    }
}
