//! The figures of a node, read when they are asked for.

use std::fmt;

use std::collections::BTreeMap;

use metaia_realtime::Realtime;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Counts by their stable codes.
type Codes = BTreeMap<&'static str, u64>;

#[derive(Debug)]
pub(super) struct Figures(pub(super) Realtime);

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (stats, bell, node) = (self.0.stats(), self.0.doorbell_counts(), self.0.node_view());
        let mut out = Out(encoder);
        let version = Codes::from([(env!("CARGO_PKG_VERSION"), 1)]);
        out.gauges(
            "build_info",
            "The version of this server",
            "version",
            &version,
        )?;
        let started = node.since.div_euclid(1_000).max(0).unsigned_abs();
        out.gauge(
            "start_time_seconds",
            "When this node began, since the Unix epoch",
            started,
        )?;
        out.gauges("sessions", "Sessions now", "role", &stats.sessions)?;
        out.gauge("rooms", "Rooms with somebody in them now", stats.rooms)?;
        out.gauge("users", "Users with sessions now", stats.users)?;
        out.counters("connects", "Sessions begun", "role", &stats.connects)?;
        let help = "Connections refused, by the code of their connect_error";
        out.counters("connects_refused", help, "code", &stats.connects_refused)?;
        let help = "Handshakes refused before they began";
        out.counters(
            "handshakes_refused",
            help,
            "code",
            &stats.handshakes_refused,
        )?;
        out.counters("session_ends", "Sessions ended", "code", &stats.ends)?;
        let help = "Events of clients that were refused";
        out.counters("client_events_refused", help, "code", &stats.events_refused)?;
        out.counters(
            "joins",
            "Joins of order rooms, by what was decided",
            "result",
            &stats.joins,
        )?;
        out.counters("resets", "Clients told to reload", "reason", &stats.resets)?;
        let help = "Steps of sessions that were catching up, by where they read";
        out.counters("catch_up_reads", help, "source", &stats.catch_up_reads)?;
        out.counter(
            "replayed_entries",
            "Entries handed over while catching up",
            stats.replayed,
        )?;
        out.counter(
            "credit_stalls",
            "Live sessions that fell behind their client's reading",
            stats.credit_stalls,
        )?;
        out.counter(
            "appended_entries",
            "Entries appended by this node's handle",
            stats.appended,
        )?;
        out.counters(
            "append_errors",
            "Appends of this node's handle that failed",
            "code",
            &stats.append_errors,
        )?;
        out.counter(
            "log_read_errors",
            "Reads of the dispatcher that failed",
            stats.read_errors,
        )?;
        out.counter("dispatched_entries", "Entries dispatched", stats.dispatched)?;
        out.counter(
            "delivered_entries",
            "Entries handed to transports, per session",
            stats.delivered,
        )?;
        out.counter(
            "volatile_sent",
            "Volatile events sent by this node's handle",
            stats.volatile_sent,
        )?;
        let help = "Volatile events that another took the place of";
        out.counter("volatile_replaced", help, stats.volatile_replaced)?;
        out.gauge(
            "log_head_entries",
            "The number of the log's last entry",
            stats.log_head,
        )?;
        out.gauge(
            "dispatch_lag_entries",
            "Entries of the log not dispatched yet",
            stats.lag,
        )?;
        let connected = u64::from(self.0.doorbell_connected());
        out.gauge(
            "doorbell_connected",
            "1 where the doorbell's line is there",
            connected,
        )?;
        let frames = Codes::from([
            ("rung", bell.notified),
            ("cast", bell.sent),
            ("heard", bell.received),
            ("unreadable", bell.unreadable),
            ("unsigned", bell.unsigned),
            ("stale", bell.stale),
            ("repeated", bell.repeated),
            ("dropped", bell.dropped),
        ]);
        out.counters(
            "doorbell_frames",
            "Frames of the doorbell, by what became of them",
            "kind",
            &frames,
        )?;
        out.counter(
            "doorbell_looks",
            "Looks at the log because of a ring",
            bell.wakeups,
        )
    }
}

/// Writes a figure, or one for each value of a label.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.one(name, help, &gauge(value))
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.one(name, help, &ConstCounter::new(value))
    }

    fn gauges(&mut self, name: &str, help: &str, label: &str, values: &Codes) -> fmt::Result {
        self.each(name, help, label, values, gauge)
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, values: &Codes) -> fmt::Result {
        self.each(name, help, label, values, ConstCounter::new)
    }

    fn one(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
        metric.encode(
            self.0
                .encode_descriptor(name, help, None, metric.metric_type())?,
        )
    }

    fn each<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &Codes,
        metric: impl Fn(u64) -> M,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, metric(0).metric_type())?;
        for (value, count) in values {
            metric(*count).encode(family.encode_family(&[(label, *value)])?)?;
        }
        Ok(())
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
