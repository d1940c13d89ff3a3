//! What one node is made of, and the decisions that need several of its parts.

pub(crate) mod announcer;
mod counter;
mod devices;
mod disconnects;
pub(crate) mod dispatcher;
pub(crate) mod doorbell;
pub(crate) mod drain;
pub(crate) mod housekeeping;
mod late_log;
pub(crate) mod registry;
mod replay_budget;
pub(crate) mod stats;
mod window;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use announcer::Announcer;
pub(crate) use devices::Devices;
pub(crate) use doorbell::Bell;
pub(crate) use stats::Counters;
pub(crate) use window::Window;

use crate::{
    Access, BuildError, Builder, Epoch, Identity, Limits, NodeId, OrderId, Realtime, Room,
    access::DynOrderAccess,
    api::handlers::Handlers,
    auth::DynAuthenticator,
    log::{DynEventLog, LogError},
    presence::NodeView,
    session::{End, Refusal, Session},
    values::time,
};
use disconnects::Kicks;
use registry::{Entered, Registry};
use replay_budget::Replays;

/// A policy that does not answer in this time could not decide.
const POLICY_TIMEOUT: Duration = Duration::from_secs(5);
/// A node that is further behind its log than this cannot say what is new.
const UP_TO_DATE: Duration = Duration::from_secs(10);
const POLICY_PAUSE: Duration = Duration::from_millis(200);

/// One node.
pub(crate) struct Node {
    /// What other nodes know this one by.
    pub(crate) id: NodeId,
    /// Since when it runs, in ms since the Unix epoch.
    pub(crate) since: i64,
    pub(crate) log: Arc<dyn DynEventLog>,
    pub(crate) bell: Bell,
    pub(crate) devices: Devices,
    pub(crate) replays: Replays,
    pub(crate) window: Window,
    pub(crate) registry: Registry,
    pub(crate) announcer: Announcer,
    pub(crate) kicks: Kicks,
    pub(crate) counters: Arc<Counters>,
    pub(crate) limits: Limits,
    pub(crate) access: Arc<dyn DynOrderAccess>,
    pub(crate) authenticator: Arc<dyn DynAuthenticator>,
    pub(crate) handlers: Handlers,
    /// Every task of the node. They end when `stopping` is cancelled.
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
    pub(crate) draining: AtomicBool,
    /// The log cannot be read here, and can be elsewhere.
    pub(crate) cut_off: AtomicBool,
    /// What handlers are given. It owns the node, which lets go of it in the end.
    pub(crate) handle: Mutex<Option<Realtime>>,
    /// Held while a session is admitted, so that two at once do not both take the last place, and while draining
    /// begins, so that nobody slips in.
    pub(crate) admission: Mutex<()>,
}

impl Node {
    /// A node that nobody runs yet.
    pub(crate) fn new(window: Window, parts: Builder) -> Result<Self, BuildError> {
        let id = NodeId::random();
        let bell = Bell::new(id, parts.doorbell, parts.cluster_key, parts.log.changes());
        let devices = Devices::new(parts.devices.filter(|_| parts.device_resume));
        devices.serve(id);
        Ok(Self {
            id,
            since: time::unix_ms(),
            announcer: Announcer::new(parts.directory, parts.limits.sessions),
            bell,
            window,
            log: parts.log,
            devices,
            replays: Replays::new(&parts.limits),
            registry: Registry::default(),
            kicks: Kicks::default(),
            counters: Arc::default(),
            limits: parts.limits,
            access: parts.access,
            authenticator: parts.authenticator.ok_or(BuildError::NoAuthenticator)?,
            handlers: parts.handlers,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            draining: false.into(),
            cut_off: false.into(),
            handle: Mutex::default(),
            admission: Mutex::default(),
        })
    }

    /// What others are told of it.
    pub(crate) fn view(&self) -> NodeView {
        NodeView { id: self.id, since: self.since, sessions: self.registry.len() as u64 }
    }

    /// The embedder's handle to this node, until it has stopped.
    pub(crate) fn handle(&self) -> Option<Realtime> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_handle(&self, handle: Option<Realtime>) {
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    /// Whether this node takes nobody new.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    fn admission(&self) -> MutexGuard<'_, ()> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on nobody is admitted.
    pub(crate) fn begin_draining(&self) {
        let _admission = self.admission();
        self.draining.store(true, Ordering::Release);
    }

    /// Whether clients are better off elsewhere, since the log can be read there, and not here.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Acquire)
    }

    /// From here on nobody is admitted, or everybody again.
    pub(crate) fn set_cut_off(&self, cut_off: bool) {
        let _admission = self.admission();
        self.cut_off.store(cut_off, Ordering::Release);
    }

    /// Waits until this node has dispatched all that the log has now: what follows is new to everybody. Cancel safe.
    ///
    /// # Errors
    /// The log's, or [`LogError::Unavailable`] where that takes too long.
    pub(crate) async fn up_to_date(&self) -> Result<(), LogError> {
        let head = self.log.head().await?.position;
        let reached = tokio::time::timeout(UP_TO_DATE, self.window.reached(head)).await;
        reached.map_err(|late| LogError::Unavailable(late.into()))
    }

    /// The epoch of what this node dispatches.
    pub(crate) fn epoch(&self) -> Epoch {
        self.window.head().epoch()
    }

    /// What the policy says, tried up to `tries` times; `None` where it could not decide.
    pub(crate) async fn decide(&self, who: &Identity, order: &OrderId, tries: u32) -> Option<Access> {
        for attempt in 1..=tries {
            match tokio::time::timeout(POLICY_TIMEOUT, self.access.may_join(who, order)).await {
                Ok(Ok(access)) => return Some(access),
                Ok(Err(error)) => {
                    tracing::warn!(%order, error = &error as &dyn std::error::Error, "access cannot be decided");
                }
                Err(_) => tracing::warn!(%order, "access was not decided in time"),
            }
            if attempt < tries {
                tokio::time::sleep(POLICY_PAUSE).await;
            }
        }
        None
    }

    /// Lets the session into the order's room if the policy allows it, as access stands when it enters. `join_state`
    /// says from where on the room's entries are wanted; it is called at most once, and must not call the registry.
    pub(crate) async fn admit(
        &self,
        session: &Session,
        order: &OrderId,
        join_state: impl Fn(&Session, Room),
    ) -> Result<(), Refusal> {
        let admitted = self.try_admit(session, order, join_state).await;
        self.counters.joins.add(match admitted {
            Ok(()) => {
                self.announcer.changed(session.id);
                "allowed"
            }
            Err(Refusal::Forbidden) => "denied",
            Err(_) => "unavailable",
        });
        admitted
    }

    /// The session leaves a room.
    pub(crate) fn leave(&self, session: &Session, room: &Room) {
        self.registry.leave(session, room);
        self.announcer.changed(session.id);
    }

    async fn try_admit(
        &self,
        session: &Session,
        order: &OrderId,
        join_state: impl Fn(&Session, Room),
    ) -> Result<(), Refusal> {
        let mut join = self.registry.begin_join(order);
        loop {
            match self.decide(&session.identity, order, 1).await {
                Some(Access::Allowed) => {}
                Some(Access::Denied) => return Err(Refusal::Forbidden),
                None => return Err(Refusal::Unavailable),
            }
            match self.registry.enter(session, &mut join, &join_state) {
                Entered::Yes => return Ok(()),
                Entered::AskAgain => {}
                Entered::Gone => return Err(Refusal::Unavailable),
            }
        }
    }

    /// Adds an authenticated session, making place for it: the same device's former session goes, and beyond the
    /// user's cap the least recently active one. `false`: the node is full, cut off, or being emptied, or the user was
    /// disconnected since the session began.
    pub(crate) fn register(&self, session: &Arc<Session>) -> bool {
        let _admission = self.admission();
        if self.is_draining() || self.is_cut_off() || self.registry.len() >= self.limits.sessions {
            return false;
        }
        let others = self.registry.of_user(&session.identity.user);
        let (same_device, mut others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|other| session.device.is_some() && other.device == session.device);
        for former in same_device {
            self.end(&former, End::Replaced);
        }
        others.sort_by_key(|other| other.active_at());
        let excess = (others.len() + 1).saturating_sub(self.limits.sessions_per_user);
        for idle in others.into_iter().take(excess) {
            self.end(&idle, End::OverUserCap);
        }
        self.registry.add(session);
        // After it is in the registry: a kick finds it there, or has been noted before.
        if self.kicks.concern(&session.identity.user, session.began_at) {
            self.registry.remove(session);
            return false;
        }
        self.announcer.changed(session.id);
        self.counters.connects.add(session.identity.role.as_str());
        tracing::info!("User connected: {} ({})", session.identity.user, session.identity.role);
        true
    }

    /// Ends a session and forgets it. Only the first call for a session does something.
    pub(crate) fn end(&self, session: &Session, end: End) {
        session.end(end);
        if self.registry.remove(session) {
            let end = session.ended_by().unwrap_or(end);
            self.devices.end(session, self.epoch());
            self.announcer.changed(session.id);
            self.counters.ends.add(end.code());
            tracing::info!("User disconnected: {} ({}) {end}", session.identity.user, session.identity.role);
        }
    }
}
