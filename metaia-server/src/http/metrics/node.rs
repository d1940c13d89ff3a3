//! The metrics of a node, read when the monitoring asks for them.

use std::{collections::BTreeMap, fmt};

use metaia_realtime::{NodeStats, Realtime};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Counts by a label's value.
type Counts = BTreeMap<&'static str, u64>;

#[derive(Debug)]
pub(super) struct NodeMetrics(pub(super) Realtime);

impl Collector for NodeMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = MetricsWriter(encoder);
        let stats = self.0.stats();
        self.write_process(&mut writer)?;
        write_sessions(&mut writer, &stats)?;
        write_catch_up(&mut writer, &stats)?;
        write_log(&mut writer, &stats)?;
        write_dispatch(&mut writer, &stats)?;
        write_volatile(&mut writer, &stats)?;
        self.write_doorbell(&mut writer)
    }
}

impl NodeMetrics {
    fn write_process(&self, writer: &mut MetricsWriter<'_>) -> fmt::Result {
        let version = Counts::from([(env!("CARGO_PKG_VERSION"), 1)]);
        writer.gauges(
            "build_info",
            "The version of this server",
            "version",
            &version,
        )?;
        let start_ms = self.0.node_view().since;
        writer.gauge(
            "start_time_seconds",
            "Start of this node, since the Unix epoch",
            start_ms.div_euclid(1_000).max(0).unsigned_abs(),
        )
    }

    fn write_doorbell(&self, writer: &mut MetricsWriter<'_>) -> fmt::Result {
        writer.gauge(
            "doorbell_connected",
            "1 while the doorbell is connected",
            u64::from(self.0.doorbell_connected()),
        )?;
        let counts = self.0.doorbell_counts();
        // The labels are stable; the counters have since been renamed.
        let frames = Counts::from([
            ("rung", counts.notified),
            ("cast", counts.sent),
            ("heard", counts.received),
            ("unreadable", counts.unreadable),
            ("unsigned", counts.unsigned),
            ("stale", counts.stale),
            ("repeated", counts.repeated),
            ("dropped", counts.dropped),
        ]);
        writer.counters(
            "doorbell_frames",
            "Frames of the doorbell, by their outcome",
            "kind",
            &frames,
        )?;
        writer.counter(
            "doorbell_looks",
            "Reads of the log because of a notification",
            counts.wakeups,
        )
    }
}

fn write_sessions(writer: &mut MetricsWriter<'_>, stats: &NodeStats) -> fmt::Result {
    writer.gauges("sessions", "Current sessions", "role", &stats.sessions)?;
    writer.gauge("rooms", "Rooms with at least one session", stats.rooms)?;
    writer.gauge("users", "Users with at least one session", stats.users)?;
    writer.counters("connects", "Sessions started", "role", &stats.connects)?;
    writer.counters(
        "connects_refused",
        "Connections refused, by the code of their connect_error",
        "code",
        &stats.connects_refused,
    )?;
    writer.counters(
        "handshakes_refused",
        "Handshakes refused before a connection began",
        "code",
        &stats.handshakes_refused,
    )?;
    writer.counters("session_ends", "Sessions ended", "code", &stats.ends)?;
    writer.counters(
        "client_events_refused",
        "Events of clients that were refused",
        "code",
        &stats.events_refused,
    )?;
    writer.counters(
        "joins",
        "Joins of order rooms, by the decision",
        "result",
        &stats.joins,
    )
}

fn write_catch_up(writer: &mut MetricsWriter<'_>, stats: &NodeStats) -> fmt::Result {
    writer.counters("resets", "Clients told to reload", "reason", &stats.resets)?;
    writer.counters(
        "catch_up_reads",
        "Reads of sessions that were catching up, by their source",
        "source",
        &stats.catch_up_reads,
    )?;
    writer.counter(
        "replayed_entries",
        "Entries delivered to sessions that were catching up",
        stats.replayed,
    )?;
    writer.counter(
        "credit_stalls",
        "Live sessions whose client read too slowly to stay live",
        stats.credit_stalls,
    )
}

fn write_log(writer: &mut MetricsWriter<'_>, stats: &NodeStats) -> fmt::Result {
    writer.counter(
        "appended_entries",
        "Entries appended through this node's handle",
        stats.appended,
    )?;
    writer.counters(
        "append_errors",
        "Failed appends through this node's handle",
        "code",
        &stats.append_errors,
    )?;
    writer.counter(
        "log_read_errors",
        "Failed reads of the dispatcher",
        stats.read_errors,
    )?;
    writer.gauge(
        "log_head_entries",
        "The number of the log's last entry",
        stats.log_head,
    )
}

fn write_dispatch(writer: &mut MetricsWriter<'_>, stats: &NodeStats) -> fmt::Result {
    writer.counter("dispatched_entries", "Entries dispatched", stats.dispatched)?;
    writer.counter(
        "unreadable_control_entries",
        "Control entries that this node could not read",
        stats.unreadable_controls,
    )?;
    writer.counter(
        "delivered_entries",
        "Entries handed to transports, per session",
        stats.delivered,
    )?;
    writer.gauge(
        "dispatch_lag_entries",
        "Entries of the log that are not dispatched yet",
        stats.lag,
    )
}

fn write_volatile(writer: &mut MetricsWriter<'_>, stats: &NodeStats) -> fmt::Result {
    writer.counter(
        "volatile_sent",
        "Volatile events sent through this node's handle",
        stats.volatile_sent,
    )?;
    writer.counter(
        "volatile_replaced",
        "Volatile events that a newer one replaced",
        stats.volatile_replaced,
    )
}

/// Writes single metrics, and families of one metric per value of a label.
struct MetricsWriter<'a>(DescriptorEncoder<'a>);

impl MetricsWriter<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.write(name, help, &gauge(value))
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.write(name, help, &ConstCounter::new(value))
    }

    fn gauges(&mut self, name: &str, help: &str, label: &str, values: &Counts) -> fmt::Result {
        self.write_family(name, help, label, values, gauge)
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, values: &Counts) -> fmt::Result {
        self.write_family(name, help, label, values, ConstCounter::new)
    }

    fn write(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
        let kind = metric.metric_type();
        metric.encode(self.0.encode_descriptor(name, help, None, kind)?)
    }

    fn write_family<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &Counts,
        metric: impl Fn(u64) -> M,
    ) -> fmt::Result {
        let kind = metric(0).metric_type();
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (value, count) in values {
            metric(*count).encode(family.encode_family(&[(label, *value)])?)?;
        }
        Ok(())
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
