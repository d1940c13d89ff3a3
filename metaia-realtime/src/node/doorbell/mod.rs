//! The doorbell of a node: what it sends to other nodes, and which of their frames it accepts.

mod counters;
mod receive;
mod tasks;
#[cfg(all(test, feature = "testing"))]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

pub(super) use tasks::run;

use crate::{
    doorbell::{
        ClusterKey, Counts, DynDoorbell,
        frame::{Frame, FrameBody, FrameError},
        holdback::Holdback,
        log_head::LogHead,
        partition::PartitionDetector,
        probes::Probes,
        replay_guard::{ReplayError, ReplayGuard},
        throttle::Throttle,
    },
    values::{NodeId, time},
};
use counters::DoorbellCounters;

/// A node's doorbell. Without one the node sends and receives nothing.
pub(crate) struct NodeDoorbell {
    doorbell: Option<Arc<dyn DynDoorbell>>,
    node: NodeId,
    key: Option<ClusterKey>,
    /// The number of the last frame. Each node id has numbers of its own.
    seq: AtomicU64,
    /// The number of the newest entry in the node's log.
    log_head: watch::Receiver<u64>,
    /// Limits how often notifications make the node read its log.
    throttle: Mutex<Throttle>,
    /// Notified when the throttle holds a notification.
    throttled: Notify,
    /// Recognises frames that are old or were received before.
    replay_guard: Mutex<ReplayGuard>,
    /// Volatile events that wait for the log.
    holdback: Mutex<Holdback>,
    /// Notified when an event waits for the log.
    held_back: Notify,
    /// Detects that this node alone cannot read the log.
    partition: Mutex<PartitionDetector>,
    /// Probes of other nodes that wait for an answer.
    probes: Mutex<Probes>,
    /// Notified when a probe arrives.
    probed: Notify,
    counters: DoorbellCounters,
    is_connected: AtomicBool,
    /// It was logged that frames are dropped.
    has_warned: AtomicBool,
}

impl NodeDoorbell {
    pub(super) fn new(
        node: NodeId,
        doorbell: Option<Arc<dyn DynDoorbell>>,
        key: Option<ClusterKey>,
        log_head: watch::Receiver<u64>,
    ) -> Self {
        Self {
            doorbell,
            node,
            key,
            seq: AtomicU64::new(0),
            log_head,
            throttle: Mutex::default(),
            throttled: Notify::new(),
            replay_guard: Mutex::default(),
            holdback: Mutex::default(),
            held_back: Notify::new(),
            partition: Mutex::default(),
            probes: Mutex::default(),
            probed: Notify::new(),
            counters: DoorbellCounters::default(),
            is_connected: false.into(),
            has_warned: false.into(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counters.now()
    }

    /// Returns whether the doorbell reports that it is connected.
    pub(crate) fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    /// Notifies the other nodes that the log goes up to `head`.
    fn notify(&self, head: LogHead) {
        let Some(doorbell) = &self.doorbell else {
            return;
        };
        if let Some(frame) = self.encode(FrameBody::Notify(head)) {
            self.counters.notified.add(1);
            doorbell.notify(frame);
        }
    }

    /// Sends the other nodes something that is of use at once or never. Returns `false` if it is
    /// too large.
    fn send(&self, body: FrameBody) -> bool {
        let Some(doorbell) = &self.doorbell else {
            return true;
        };
        let Some(frame) = self.encode(body) else {
            return false;
        };
        doorbell.send(frame);
        true
    }

    /// Returns the bytes of a frame; `None` if it is too large.
    fn encode(&self, body: FrameBody) -> Option<Vec<u8>> {
        let frame = Frame {
            node: self.node,
            seq: self.seq.fetch_add(1, Ordering::Relaxed),
            ts: time::unix_ms(),
            body,
        };
        frame.encode(self.key.as_ref())
    }

    /// Returns the body of a frame of another node; `None` if the frame is dropped.
    fn accept(&self, bytes: &[u8]) -> Option<FrameBody> {
        if Frame::claimed_sender(bytes) == Some(self.node) {
            return None;
        }
        let frame = self.decode(bytes)?;
        // A notification stays true for ever: it may be late, and be repeated.
        let may_be_replayed = matches!(frame.body, FrameBody::Notify(_));
        if !may_be_replayed && !self.is_fresh(&frame) {
            return None;
        }
        self.counters.received.add(1);
        Some(frame.body)
    }

    fn decode(&self, bytes: &[u8]) -> Option<Frame> {
        match Frame::decode(bytes, self.key.as_ref()) {
            Ok(frame) => return Some(frame),
            Err(FrameError::Unreadable) => self.counters.unreadable.add(1),
            Err(FrameError::Unsigned) => self.counters.unsigned.add(1),
        }
        self.warn_once("have they another version, or another METAIA_CLUSTER_KEY?");
        None
    }

    /// Returns whether the frame is recent, and was not received before.
    fn is_fresh(&self, frame: &Frame) -> bool {
        let taken =
            self.replay_guard
                .lock()
                .accept(frame.node, frame.seq, frame.ts, time::unix_ms());
        match taken {
            Ok(()) => true,
            Err(ReplayError::Repeated) => {
                self.counters.repeated.add(1);
                false
            }
            Err(ReplayError::Stale) => {
                self.counters.stale.add(1);
                self.warn_once("are their clocks wrong?");
                false
            }
        }
    }

    /// Logs that frames are dropped, once: a node that sends garbage may send much of it. The
    /// counters show the rest.
    fn warn_once(&self, possible_cause: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("frames of other nodes are dropped; {possible_cause}");
        }
    }
}
