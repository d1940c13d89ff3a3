//! [`Node`]: one process of the cluster, as a struct of its parts with an accessor for each.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Counters, NodeParts, Window, access_rounds::AccessRounds, announcer::Announcer,
    decision_budget::DecisionBudget, devices::Devices, disconnects::Disconnects,
    doorbell::NodeDoorbell, finishing::FinishingSessions, head_reads::HeadReads,
    recheck::RecheckTurns, registry::Registry, replay_budget::ReplayBudget,
    revocations::Revocations,
};
use crate::{
    Limits,
    access::DynOrderAccess,
    auth::DynAuthenticator,
    log::{DynEventLog, LogError},
    presence::{DynDirectory, RefusalView, RefusedRequest},
    session::EventHandlers,
    values::{NodeId, time},
};

/// The time for which [`Node::up_to_date`] waits for the dispatcher. A node that is further behind
/// its log cannot tell which entries are new.
const UP_TO_DATE_TIMEOUT: Duration = Duration::from_secs(10);

/// One process of the cluster. Its tasks run after [`Node::run`].
pub(crate) struct Node {
    /// The name by which other nodes know this one.
    pub(super) id: NodeId,
    /// The time when the node began, in ms since the Unix epoch.
    pub(super) since: i64,
    pub(super) log: Arc<dyn DynEventLog>,
    pub(super) doorbell: NodeDoorbell,
    pub(super) devices: Devices,
    pub(super) replay_budget: ReplayBudget,
    pub(super) decision_budget: DecisionBudget,
    pub(super) head_reads: HeadReads,
    pub(super) window: Window,
    pub(super) registry: Registry,
    pub(super) announcer: Announcer,
    pub(super) disconnects: Disconnects,
    pub(super) revocations: Revocations,
    pub(super) finishing: Arc<FinishingSessions>,
    pub(super) access_rounds: AccessRounds,
    pub(super) counters: Arc<Counters>,
    pub(super) limits: Limits,
    pub(super) access: Arc<dyn DynOrderAccess>,
    pub(super) recheck_turns: RecheckTurns,
    pub(super) authenticator: Arc<dyn DynAuthenticator>,
    pub(super) handlers: Arc<dyn EventHandlers>,
    /// All tasks of the node. They end when `stopping` is cancelled.
    pub(super) tasks: TaskTracker,
    pub(super) stopping: CancellationToken,
    pub(super) draining: AtomicBool,
    /// True while this node is partitioned: it cannot read the log, and another node can.
    pub(super) cut_off: AtomicBool,
    /// Held while a session is admitted, so that two at once do not both take the last place, and
    /// while draining begins, so that no session is admitted after it. Taken before the registry's
    /// lock.
    pub(super) admission: Mutex<()>,
}

impl Node {
    /// Returns a node whose tasks do not run yet: see [`Node::run`].
    pub(crate) fn new(
        window: Window,
        authenticator: Arc<dyn DynAuthenticator>,
        parts: NodeParts,
    ) -> Self {
        let id = NodeId::random();
        let doorbell =
            NodeDoorbell::new(id, parts.doorbell, parts.cluster_key, parts.log.changes());
        let devices = Devices::new(parts.devices);
        devices.register_node(id);
        Self {
            id,
            since: time::unix_ms(),
            announcer: Announcer::new(parts.directory, parts.limits.sessions),
            doorbell,
            window,
            head_reads: HeadReads::default(),
            log: parts.log,
            devices,
            replay_budget: ReplayBudget::new(&parts.limits),
            decision_budget: DecisionBudget::new(&parts.limits),
            registry: Registry::default(),
            disconnects: Disconnects::default(),
            revocations: parts.revocations,
            finishing: Arc::default(),
            access_rounds: AccessRounds::default(),
            counters: Arc::default(),
            limits: parts.limits,
            access: parts.access,
            recheck_turns: RecheckTurns::default(),
            authenticator,
            handlers: parts.handlers,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            draining: false.into(),
            cut_off: false.into(),
            admission: Mutex::default(),
        }
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

    pub(crate) const fn decision_budget(&self) -> &DecisionBudget {
        &self.decision_budget
    }

    pub(crate) const fn window(&self) -> &Window {
        &self.window
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the sessions that have ended and still handle events.
    pub(crate) const fn finishing(&self) -> &Arc<FinishingSessions> {
        &self.finishing
    }

    /// Returns the directory that the node announces its sessions to; `None` if it has none.
    pub(crate) fn directory(&self) -> Option<&dyn DynDirectory> {
        self.announcer.directory()
    }

    pub(crate) const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Lists a request that the embedder refused.
    pub(crate) fn list_refused_request(&self, request: RefusedRequest<'_>) {
        self.counters.refuse_request(request);
    }

    /// Returns the refusals that occurred at `since` (ms since the Unix epoch) or later, newest
    /// first.
    pub(crate) fn refusals(&self, since: i64) -> Vec<RefusalView> {
        self.counters.refusals.since(since)
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
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

    /// Returns whether this node is draining, and so admits no session.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Returns whether this node is partitioned: it cannot read the log, and another node can. It
    /// then refuses sessions with the code `cut_off`.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Acquire)
    }

    /// Waits until this node has dispatched everything that the log has now. Entries that follow
    /// are new to every session. Cancel safe.
    ///
    /// # Errors
    /// Returns the log's error, or [`LogError::Unavailable`] after 10 s (`UP_TO_DATE_TIMEOUT`).
    pub(crate) async fn up_to_date(&self) -> Result<(), LogError> {
        let head = self.log.head().await?.position;
        let dispatched = self.window.wait_until_dispatched(head);
        tokio::time::timeout(UP_TO_DATE_TIMEOUT, dispatched)
            .await
            .map_err(|late| LogError::Unavailable(late.into()))
    }
}
