//! The handling of frames from other nodes, and the frames that a node sends itself.

use std::sync::{Weak, atomic::Ordering};

use tokio::time::Instant;

use crate::{
    doorbell::{
        frame::{FrameBody, Probe, VolatileFrame},
        log_head::LogHead,
        receiver::FrameHandler,
        throttle::ThrottleDecision,
    },
    node::Node,
    session::Volatile,
};

/// The node that receives the frames of a doorbell. Weak, since the doorbell may outlive the node.
pub(super) struct NodeFrames(pub(super) Weak<Node>);

impl FrameHandler for NodeFrames {
    fn receive(&self, frame: &[u8]) {
        let Some(node) = self.0.upgrade() else {
            return;
        };
        match node.doorbell.accept(frame) {
            Some(FrameBody::Notify(head)) => node.receive_notification(head),
            Some(FrameBody::VolatileFrame(event)) => node.receive_volatile(event),
            Some(FrameBody::Probe(_, probe)) => node.receive_probe(probe),
            Some(FrameBody::ProbeAnswer(head, probe)) => node.receive_probe_answer(head, probe),
            None => {}
        }
    }

    fn connected(&self, connected: bool) {
        let Some(node) = self.0.upgrade() else {
            return;
        };
        node.doorbell
            .is_connected
            .store(connected, Ordering::Relaxed);
        if connected {
            // Notifications were lost while the doorbell was not connected.
            node.read_log_now();
        }
    }
}

impl Node {
    /// Returns the newest entry of the log that this node knows of.
    pub(super) fn known_log_head(&self) -> LogHead {
        let window_head = LogHead::from(self.window.head());
        LogHead {
            n: window_head.n.max(*self.doorbell.log_head.borrow()),
            ..window_head
        }
    }

    /// Returns the entry up to which every session here was offered everything.
    pub(super) fn dispatched_log_head(&self) -> LogHead {
        self.window.dispatched().into()
    }

    /// Returns the entry that a volatile event which is sent now follows: what was dispatched here,
    /// or appended here.
    fn log_head_before_send(&self) -> LogHead {
        let dispatched = self.dispatched_log_head();
        LogHead {
            n: dispatched.n.max(*self.log.local_appends().borrow()),
            ..dispatched
        }
    }

    /// Sends a volatile event to the other nodes. Returns `false` if it is too large.
    pub(crate) fn send_volatile(&self, event: &Volatile) -> bool {
        if self.doorbell.doorbell.is_none() {
            return true;
        }
        let event = VolatileFrame {
            at: self.log_head_before_send(),
            rooms: event.rooms.clone(),
            name: event.name.clone(),
            payload: event.payload.clone(),
            key: event.key,
        };
        let fits = self.doorbell.send(FrameBody::VolatileFrame(event));
        if fits {
            self.doorbell.counters.sent.add(1);
        }
        fits
    }

    fn receive_notification(&self, head: LogHead) {
        let known = self.known_log_head();
        let answer = self
            .doorbell
            .throttle
            .lock()
            .notify(head, known, Instant::now());
        match answer {
            ThrottleDecision::Known => {}
            ThrottleDecision::Wait => self.doorbell.throttled.notify_one(),
            ThrottleDecision::Wake => self.read_log_now(),
        }
    }

    /// Makes the log look for new entries at once.
    pub(super) fn read_log_now(&self) {
        self.doorbell.counters.wakeups.add(1);
        self.log.wake();
    }

    /// Delivers a volatile event, or holds it back until this node has dispatched the entries that
    /// it follows.
    fn receive_volatile(&self, event: VolatileFrame) {
        let follows = event.at;
        let mut holdback = self.doorbell.holdback.lock();
        if holdback.is_empty() && !follows.is_beyond(self.dispatched_log_head()) {
            // Under the lock, so that no other event overtakes it.
            return self.deliver(event);
        }
        let dropped = holdback.hold(event, Instant::now());
        self.doorbell.counters.dropped.add(dropped);
        drop(holdback);
        self.doorbell.held_back.notify_one();
        // The event shows that there are entries which this node lacks.
        self.receive_notification(follows);
    }

    pub(super) fn deliver(&self, event: VolatileFrame) {
        self.deliver_volatile(Volatile {
            name: event.name,
            payload: event.payload,
            rooms: event.rooms,
            key: event.key,
            frame: std::sync::OnceLock::new(),
        });
    }

    fn receive_probe(&self, probe: Probe) {
        self.doorbell.probes.lock().push(probe);
        self.doorbell.probed.notify_one();
    }

    fn receive_probe_answer(&self, head: LogHead, probe: Probe) {
        let is_beyond = head.is_beyond(self.known_log_head());
        self.doorbell
            .partition
            .lock()
            .probe_answered(probe, is_beyond);
    }
}
