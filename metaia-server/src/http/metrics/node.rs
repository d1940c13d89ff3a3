//! The metrics of a node, read when the monitoring asks for them.

use std::{collections::BTreeMap, fmt};

use metaia_realtime::{
    Realtime,
    metrics::{Histogram, Metric, MetricKind, MetricValue},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// Counts by a label's value.
type Counts = BTreeMap<&'static str, u64>;

#[derive(Debug)]
pub(super) struct NodeMetrics(pub(super) Realtime);

impl Collector for NodeMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = MetricsWriter(encoder);
        self.write_process(&mut writer)?;
        for metric in self.0.stats().metrics() {
            writer.metric(&metric)?;
        }
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

/// Writes single metrics, and families of one metric per value of a label.
struct MetricsWriter<'a>(DescriptorEncoder<'a>);

impl MetricsWriter<'_> {
    fn metric(&mut self, metric: &Metric<'_>) -> fmt::Result {
        let name = metric.name;
        let help = metric.help;
        match (metric.kind, &metric.value) {
            (MetricKind::Gauge, MetricValue::Single(value)) => self.gauge(name, help, *value),
            (_, MetricValue::Single(value)) => self.counter(name, help, *value),
            (MetricKind::Gauge, MetricValue::ByLabel { label, values }) => {
                self.gauges(name, help, label, values)
            }
            (_, MetricValue::ByLabel { label, values }) => self.counters(name, help, label, values),
            (_, MetricValue::HistogramByLabel { label, values }) => {
                self.histograms(name, help, label, values)
            }
        }
    }

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

    fn histograms(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &BTreeMap<&'static str, Histogram>,
    ) -> fmt::Result {
        let kind = MetricType::Histogram;
        let name = name.trim_end_matches("_seconds");
        let mut family = self
            .0
            .encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        for (value, histogram) in values {
            let sum = seconds(histogram.sum_micros);
            family
                .encode_family(&[(label, *value)])?
                .encode_histogram::<NoLabelSet>(
                    sum,
                    histogram.count(),
                    &buckets(histogram),
                    None,
                )?;
        }
        Ok(())
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

/// Returns the buckets, each with its bound in seconds. The last one has no bound.
fn buckets(histogram: &Histogram) -> Vec<(f64, u64)> {
    let bounds = histogram.bounds_micros.iter();
    let bounds = bounds.map(|micros| seconds(*micros)).chain([f64::INFINITY]);
    bounds.zip(histogram.counts.iter().copied()).collect()
}

/// Converts microseconds. Beyond 285 years they are rounded.
#[allow(
    clippy::cast_precision_loss,
    reason = "nobody needs the microseconds of centuries"
)]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}
