//! The numbers of a node as metrics, for the exporter of a monitoring system.
//!
//! ```
//! # use metaia_realtime::{JwtAuthenticator, Realtime};
//! use metaia_realtime::metrics::MetricValue;
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let authenticator = JwtAuthenticator::hs256("a long secret")?;
//! # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
//!
//! let stats = realtime.stats();
//! for metric in stats.metrics() {
//!     match metric.value {
//!         MetricValue::Single(value) => println!("{} {value}", metric.name),
//!         MetricValue::ByLabel { label, values } => {
//!             println!("{} by {label}: {values:?}", metric.name);
//!         }
//!         MetricValue::HistogramByLabel { label, values } => {
//!             for (value, histogram) in values {
//!                 println!("{} of {label} {value}: {:?}", metric.name, histogram.counts);
//!             }
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

pub use super::histogram::{Histogram, QuantileRange};

/// A number or a histogram of [`NodeStats`](crate::NodeStats), or one per value of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric<'a> {
    /// The name, without a prefix and without the ending `_total`. That of a histogram ends with
    /// its unit, `_seconds`.
    pub name: &'static str,
    /// A description of the number, in a few words.
    pub help: &'static str,
    /// The kind, which tells whether the numbers can fall.
    pub kind: MetricKind,
    /// The numbers.
    pub value: MetricValue<'a>,
}

/// The kind of a metric: its numbers can fall, or they only rise, or they are histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// They only grow while the node runs.
    Counter,
    /// They are present ones.
    Gauge,
    /// They count durations. Each of them only grows while the node runs.
    Histogram,
}

/// The numbers of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricValue<'a> {
    /// One number.
    Single(u64),
    /// One number per value of a label.
    ByLabel {
        /// The name of the label.
        label: &'static str,
        /// The numbers, by the values of the label.
        values: &'a BTreeMap<&'static str, u64>,
    },
    /// One histogram per value of a label. Its durations are in microseconds.
    HistogramByLabel {
        /// The name of the label.
        label: &'static str,
        /// The histograms, by the values of the label.
        values: &'a BTreeMap<&'static str, Histogram>,
    },
}
