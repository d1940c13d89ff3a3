//! Histograms of durations: how they are recorded, and how they are read.
//!
//! Recording is two relaxed additions to atomics: no lock, and no memory. A reading while others
//! record may lack some of the latest durations in the sum or in the counts.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use serde::Serialize;

/// The upper bounds of the buckets, in µs: from 50 µs to 60 s.
const BOUNDS: [u64; 19] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 60_000_000,
];

/// The number of buckets: the last one has no bound.
const BUCKETS: usize = BOUNDS.len() + 1;

/// Counts of durations, by how long they were.
///
/// ```
/// # use metaia_realtime::{JwtAuthenticator, Realtime};
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
/// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
/// # realtime.send_to_user(&"c1".parse()?, ("hello", serde_json::json!({}))).await?;
/// let stats = realtime.stats();
/// let publishing = &stats.publish_to_commit["memory"];
/// assert_eq!(publishing.count(), 1);
/// if let Some(range) = publishing.quantile(0.99) {
///     println!("99 of 100 publishes took at most {:?}", range.at_most);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Histogram {
    /// The upper bounds of the buckets, in microseconds and rising. A duration is in the first
    /// bucket whose bound it does not exceed.
    pub bounds_micros: &'static [u64],
    /// The number of durations in each bucket. There is one more than bounds: the last bucket has
    /// the durations above the last bound.
    pub counts: Vec<u64>,
    /// The sum of the durations, in microseconds.
    pub sum_micros: u64,
}

/// The two bounds that a quantile of a [`Histogram`] is between. The histogram does not know it
/// better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuantileRange {
    /// The bound that the quantile is above, or 0, which it may be.
    pub above: Duration,
    /// The bound that the quantile does not exceed; `None` if it is above the last bound.
    pub at_most: Option<Duration>,
}

impl Histogram {
    /// Returns the number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the bounds of the `q`-quantile: of the shortest duration that at least a share `q`
    /// of all durations do not exceed. `q` is from 0 to 1. Returns `None` if there is no duration,
    /// or if `q` is not a number.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rank is positive, and counts are far below 2^53"
    )]
    pub fn quantile(&self, q: f64) -> Option<QuantileRange> {
        let count = self.count();
        if count == 0 || q.is_nan() {
            return None;
        }
        let rank = (q * count as f64).ceil() as u64;
        Some(self.range_of(rank.clamp(1, count)))
    }

    /// Returns the bounds of the duration with this rank, which is at least 1.
    fn range_of(&self, rank: u64) -> QuantileRange {
        let mut above = 0;
        let mut counted = 0;
        for (bound, count) in self.bounds_micros.iter().zip(&self.counts) {
            counted += count;
            if counted >= rank {
                return QuantileRange {
                    above: Duration::from_micros(above),
                    at_most: Some(Duration::from_micros(*bound)),
                };
            }
            above = *bound;
        }
        QuantileRange {
            above: Duration::from_micros(above),
            at_most: None,
        }
    }
}

/// The recorder of one histogram.
#[derive(Debug, Default)]
pub(super) struct DurationRecorder {
    counts: [AtomicU64; BUCKETS],
    /// In µs.
    sum: AtomicU64,
}

impl DurationRecorder {
    /// Records a duration in µs.
    pub(super) fn record(&self, micros: u64) {
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(micros, Relaxed);
    }

    pub(super) fn read(&self) -> Histogram {
        Histogram {
            bounds_micros: &BOUNDS,
            counts: self
                .counts
                .iter()
                .map(|count| count.load(Relaxed))
                .collect(),
            sum_micros: self.sum.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn histogram(durations: &[u64]) -> Histogram {
        let recorder = DurationRecorder::default();
        for micros in durations {
            recorder.record(*micros);
        }
        recorder.read()
    }

    /// Checks that the only duration is in the bucket with this index.
    #[track_caller]
    fn check_bucket(micros: u64, bucket: usize) {
        let histogram = histogram(&[micros]);
        let mut expected = [0; BUCKETS];
        expected[bucket] = 1;
        assert_eq!(histogram.counts, expected, "{micros} µs");
        assert_eq!(histogram.sum_micros, micros);
    }

    #[test]
    fn a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        check_bucket(0, 0);
        check_bucket(1, 0);
        for (i, bound) in BOUNDS.into_iter().enumerate() {
            check_bucket(bound - 1, i);
            check_bucket(bound, i);
            check_bucket(bound + 1, i + 1);
        }
        check_bucket(u64::MAX, BUCKETS - 1);
    }

    #[test]
    fn a_histogram_without_durations_has_no_quantiles() {
        let empty = histogram(&[]);
        assert_eq!((empty.count(), empty.quantile(0.5)), (0, None));
        assert_eq!(histogram(&[7]).quantile(f64::NAN), None);
    }

    #[test]
    fn a_quantile_outside_of_0_and_1_is_that_of_the_nearest() {
        let histogram = histogram(&[70, 700, 70_000_000]);
        assert_eq!(histogram.quantile(-1.0), histogram.quantile(0.0));
        assert_eq!(histogram.quantile(7.0), histogram.quantile(1.0));
        let longest = histogram.quantile(1.0).unwrap();
        assert_eq!(
            (longest.above, longest.at_most),
            (Duration::from_secs(60), None)
        );
    }

    proptest! {
        /// Compares with all durations in a sorted list.
        #[test]
        fn counts_and_quantiles_are_those_of_the_durations(
            exponents in vec(0f64..8.5, 1..200),
            q in 0f64..=1.0,
        ) {
            let mut sorted: Vec<u64> = exponents.iter().map(|e| 10f64.powf(*e) as u64).collect();
            sorted.sort_unstable();
            let histogram = histogram(&sorted);
            prop_assert_eq!(histogram.count(), sorted.len() as u64);
            prop_assert_eq!(histogram.sum_micros, sorted.iter().sum::<u64>());
            for (i, bound) in BOUNDS.iter().enumerate() {
                let upto: u64 = histogram.counts[..=i].iter().sum();
                let naive = sorted.iter().filter(|micros| *micros <= bound).count();
                prop_assert_eq!(upto, naive as u64);
            }
            let rank = ((q * sorted.len() as f64).ceil() as usize).max(1);
            let exact = Duration::from_micros(sorted[rank - 1]);
            let range = histogram.quantile(q).unwrap();
            prop_assert!(exact > range.above || range.above.is_zero());
            prop_assert!(range.at_most.is_none_or(|at_most| exact <= at_most));
        }
    }
}
