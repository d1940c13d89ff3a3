//! The durations that clients and publishers feel: from the commit of an entry to its hand-over and
//! to the socket, and of a publish.
//!
//! Live deliveries alone count. What a session hands over while it catches up is older for reasons
//! of its own.

use std::collections::BTreeMap;

use super::{
    Node,
    counted::TransportKind,
    histogram::{DurationRecorder, Histogram},
};
use crate::values::{Moment, SharedMoment};

/// Histograms by the value of a label.
pub(super) type Histograms = BTreeMap<&'static str, Histogram>;

/// The recorders of one node.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    handed_over: ByTransport,
    written: ByTransport,
    publish: DurationRecorder,
    /// The last reading of the clock. Whoever hands over many entries in a row reads it once for
    /// all: reading the clock itself for each would cost more than recording.
    clock: SharedMoment,
}

impl Latencies {
    /// Reads the clock for those who ask for the [last reading](Self::last_reading).
    pub(crate) fn read_clock(&self) -> Moment {
        let now = Moment::now();
        self.clock.set(Some(now));
        now
    }

    /// Returns the last reading of the clock. The dispatcher reads it before it delivers, and each
    /// write of an entry reads it again.
    pub(crate) fn last_reading(&self) -> Moment {
        self.clock.get().unwrap_or_else(|| self.read_clock())
    }

    /// Records that a transport was handed an entry that was committed at `committed`.
    pub(crate) fn record_hand_over(&self, to: TransportKind, committed: Moment, now: Moment) {
        self.handed_over.record(to, now.micros_since(committed));
    }

    /// Records that an entry that was committed at `committed` was written to a socket.
    pub(crate) fn record_write(&self, by: TransportKind, committed: Moment, now: Moment) {
        self.written.record(by, now.micros_since(committed));
    }

    /// Returns how many hand-overs and writes were recorded for a transport.
    #[cfg(test)]
    pub(crate) fn counts(&self, transport: TransportKind) -> (u64, u64) {
        let handed_over = self.handed_over.of(transport).read();
        let written = self.written.of(transport).read();
        (handed_over.count(), written.count())
    }

    /// Records a publish that began at `began` and is committed.
    pub(crate) fn record_publish(&self, began: Moment) {
        self.publish.record(Moment::now().micros_since(began));
    }
}

/// A recorder for each kind of transport.
#[derive(Debug, Default)]
struct ByTransport {
    websocket: DurationRecorder,
    polling: DurationRecorder,
}

impl ByTransport {
    fn of(&self, transport: TransportKind) -> &DurationRecorder {
        match transport {
            TransportKind::WebSocket => &self.websocket,
            TransportKind::Polling => &self.polling,
        }
    }

    fn record(&self, transport: TransportKind, micros: u64) {
        self.of(transport).record(micros);
    }

    fn read(&self) -> Histograms {
        let kinds = TransportKind::ALL.iter();
        kinds
            .map(|kind| (kind.code(), self.of(*kind).read()))
            .collect()
    }
}

/// The histograms of a node, as they are read for its stats.
pub(super) struct LatencyNumbers {
    pub(super) commit_to_hand_over: Histograms,
    pub(super) commit_to_write: Histograms,
    pub(super) publish_to_commit: Histograms,
}

impl LatencyNumbers {
    pub(super) fn read(node: &Node) -> Self {
        let recorded = &node.counters.latencies;
        let publish = recorded.publish.read();
        Self {
            commit_to_hand_over: recorded.handed_over.read(),
            commit_to_write: recorded.written.read(),
            publish_to_commit: Histograms::from([(node.log.name(), publish)]),
        }
    }
}
