//! The doorbell as a node has it: what it sends, and what it makes of what it hears.

mod counters;
mod tasks;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub(crate) use tasks::run;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde_json::value::RawValue;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::doorbell::{
    ClusterKey, Counts, DynDoorbell,
    frame::{Body, Frame, FrameError, Probe, VolatileFrame},
    holdback::Holdback,
    log_head::LogHead,
    partition::PartitionDetector,
    probes::Probes,
    receiver::FrameHandler,
    replay_guard::{ReplayError, ReplayGuard},
    throttle::{Throttle, ThrottleDecision},
};
use counters::Counters;

use crate::{
    Room,
    event::EventName,
    node::Node,
    values::{NodeId, time},
};

/// A node's doorbell. Without one it is silent, and deaf.
pub(crate) struct NodeDoorbell {
    pub(super) doorbell: Option<Arc<dyn DynDoorbell>>,
    node: NodeId,
    key: Option<ClusterKey>,
    /// The number of the last frame. It begins at a place of its own with each node id, since both
    /// are random.
    seq: AtomicU64,
    /// Follows how far the node's log is known to go.
    pub(super) head: watch::Receiver<u64>,
    pub(super) belief: Mutex<Throttle>,
    replay: Mutex<ReplayGuard>,
    pub(super) waiting: Mutex<Holdback>,
    pub(super) cut_off: Mutex<PartitionDetector>,
    /// Something waits for a look to be done.
    pub(super) doubted: Notify,
    /// An event waits for the log.
    pub(super) held: Notify,
    /// What others ask: whether the log can be read.
    pub(super) questions: Mutex<Probes>,
    /// There is a question.
    pub(super) asked: Notify,
    counters: Counters,
    connected: AtomicBool,
    /// Whether it was said that frames are dropped.
    complained: AtomicBool,
}

impl NodeDoorbell {
    pub(crate) fn new(
        node: NodeId,
        doorbell: Option<Arc<dyn DynDoorbell>>,
        key: Option<ClusterKey>,
        head: watch::Receiver<u64>,
    ) -> Self {
        Self {
            doorbell,
            node,
            key,
            seq: AtomicU64::new(0),
            head,
            belief: Mutex::default(),
            replay: Mutex::default(),
            waiting: Mutex::default(),
            cut_off: Mutex::default(),
            doubted: Notify::new(),
            held: Notify::new(),
            questions: Mutex::default(),
            asked: Notify::new(),
            counters: Counters::default(),
            connected: false.into(),
            complained: false.into(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counters.now()
    }

    /// Whether the doorbell says that its line is there.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Tells the other nodes that the log goes so far.
    pub(super) fn notify(&self, at: LogHead) {
        if let (Some(doorbell), Some(frame)) = (&self.doorbell, self.frame(Body::Notify(at))) {
            self.counters.notified.add(1);
            doorbell.notify(frame);
        }
    }

    /// Tells them something for now or never. `false`: it is too large.
    pub(super) fn send(&self, body: Body) -> bool {
        let Some(doorbell) = &self.doorbell else {
            return true;
        };
        let frame = self.frame(body);
        let fits = frame.is_some();
        frame.into_iter().for_each(|frame| doorbell.send(frame));
        fits
    }

    fn frame(&self, body: Body) -> Option<Vec<u8>> {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        Frame {
            node: self.node,
            seq,
            ts: time::unix_ms(),
            body,
        }
        .encode(self.key.as_ref())
    }

    /// What the bytes say, where they are a frame of another node that is not dropped.
    fn read(&self, bytes: &[u8]) -> Option<Body> {
        if Frame::claimed_sender(bytes) == Some(self.node) {
            return None;
        }
        let frame = match Frame::decode(bytes, self.key.as_ref()) {
            Ok(frame) => frame,
            Err(bad) => {
                match bad {
                    FrameError::Unreadable => self.counters.unreadable.add(1),
                    FrameError::Unsigned => self.counters.unsigned.add(1),
                }
                self.complain("have they another version, or another METAIA_CLUSTER_KEY?");
                return None;
            }
        };
        // A ring says nothing that was not true for ever: it may come late, and often.
        if !matches!(frame.body, Body::Notify(_)) {
            match lock(&self.replay).accept(frame.node, frame.seq, frame.ts, time::unix_ms()) {
                Ok(()) => {}
                Err(ReplayError::Repeated) => {
                    self.counters.repeated.add(1);
                    return None;
                }
                Err(ReplayError::Stale) => {
                    self.counters.stale.add(1);
                    self.complain("do their clocks go wrong?");
                    return None;
                }
            }
        }
        self.counters.received.add(1);
        Some(frame.body)
    }

    /// Once, since whoever sends garbage may send much of it; the counters tell the rest.
    fn complain(&self, question: &str) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            tracing::warn!("what other nodes send by the doorbell is dropped; {question}");
        }
    }
}

/// A poisoned lock is taken over: no kernel is left half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Node {
    /// How far the log is known to go here.
    pub(super) fn known(&self) -> LogHead {
        let dispatched = LogHead::from(self.window.head());
        LogHead {
            n: dispatched.n.max(*self.doorbell.head.borrow()),
            ..dispatched
        }
    }

    /// How far everybody here has been offered everything.
    pub(super) fn dispatched(&self) -> LogHead {
        self.window.dispatched().into()
    }

    /// What an event that is sent now follows: what was dispatched here, and what was appended
    /// here.
    fn sent_at(&self) -> LogHead {
        let dispatched = self.dispatched();
        LogHead {
            n: dispatched.n.max(*self.log.local_appends().borrow()),
            ..dispatched
        }
    }

    /// Tells the other nodes a volatile event. `false`: it is too large for that.
    pub(crate) fn send_volatile(
        &self,
        rooms: &[Room],
        name: &EventName,
        payload: &RawValue,
    ) -> bool {
        if self.doorbell.doorbell.is_none() {
            return true;
        }
        let (name, payload) = (name.clone(), payload.to_owned());
        let cast = VolatileFrame {
            at: self.sent_at(),
            rooms: rooms.to_vec(),
            name,
            payload,
        };
        let fits = self.doorbell.send(Body::VolatileFrame(cast));
        if fits {
            self.doorbell.counters.sent.add(1);
        }
        fits
    }

    pub(super) fn notified(&self, at: LogHead) {
        match lock(&self.doorbell.belief).notify(at, self.known(), Instant::now()) {
            ThrottleDecision::Known => return,
            ThrottleDecision::Wait => return self.doorbell.doubted.notify_one(),
            ThrottleDecision::Wake => {}
        }
        self.look();
    }

    /// Looks at the log because of a ring.
    pub(super) fn look(&self) {
        self.doorbell.counters.wakeups.add(1);
        self.log.wake();
    }

    fn received_volatile(&self, cast: VolatileFrame) {
        let at = cast.at;
        let mut waiting = lock(&self.doorbell.waiting);
        if waiting.is_empty() && !at.is_beyond(self.dispatched()) {
            // Under the lock, so that nobody overtakes it.
            return self.deliver(cast);
        }
        self.doorbell
            .counters
            .dropped
            .add(waiting.hold(cast, Instant::now()));
        drop(waiting);
        self.doorbell.held.notify_one();
        self.notified(at);
    }

    pub(super) fn deliver(&self, cast: VolatileFrame) {
        self.deliver_volatile(cast.name, cast.payload, &cast.rooms);
    }

    fn probed(&self, question: Probe) {
        lock(&self.doorbell.questions).push(question);
        self.doorbell.asked.notify_one();
    }

    fn probe_answered(&self, at: LogHead, question: Probe) {
        let is_beyond = at.is_beyond(self.known());
        lock(&self.doorbell.cut_off).probe_answered(question, is_beyond);
    }
}

/// The node that listens, while it lives: a doorbell may outlive it.
pub(super) struct NodeFrames(pub(super) Weak<Node>);

impl FrameHandler for NodeFrames {
    fn receive(&self, frame: &[u8]) {
        let Some(node) = self.0.upgrade() else { return };
        match node.doorbell.read(frame) {
            Some(Body::Notify(at)) => node.notified(at),
            Some(Body::VolatileFrame(cast)) => node.received_volatile(cast),
            Some(Body::Probe(_, question)) => node.probed(question),
            Some(Body::ProbeAnswer(at, question)) => node.probe_answered(at, question),
            None => {}
        }
    }

    fn connected(&self, connected: bool) {
        let Some(node) = self.0.upgrade() else { return };
        node.doorbell.connected.store(connected, Ordering::Relaxed);
        if connected {
            node.look();
        }
    }
}
