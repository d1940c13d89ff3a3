//! The metrics of the process log: what was not written.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

use crate::{line_output::LineOutput, line_pace::LinePace};

/// The log of this process.
#[derive(Debug, Default)]
pub(crate) struct LogMetrics {
    pub(crate) output: LineOutput,
    pub(crate) pace: LinePace,
}

impl Collector for LogMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lost = "Lines of the server's own log that its reader did not take";
        let left_out = "Lines of the server's own log that were left out of a flood of equal ones";
        for (name, help, count) in [
            ("output_lines_lost", lost, self.output.lost()),
            ("output_lines_left_out", left_out, self.pace.left_out()),
        ] {
            let kind = MetricType::Counter;
            let metric = encoder.encode_descriptor(name, help, None, kind)?;
            ConstCounter::new(count).encode(metric)?;
        }
        Ok(())
    }
}
