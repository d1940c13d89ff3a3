//! Durations in an HDR histogram that all tasks share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// A handle to the histogram.
#[derive(Debug, Clone)]
pub(crate) struct Recorder(Arc<Mutex<Histogram<u64>>>);

impl Recorder {
    /// Creates an empty histogram of microseconds with three significant digits.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new(3).expect("three digits are possible");
        Self(Arc::new(Mutex::new(histogram)))
    }

    /// Adds a duration.
    pub(crate) fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.lock()
            .record(micros)
            .expect("the histogram resizes itself");
    }

    /// Returns the number of durations.
    pub(crate) fn len(&self) -> u64 {
        self.lock().len()
    }

    /// Returns this percentile, in milliseconds.
    pub(crate) fn percentile(&self, of_a_hundred: f64) -> f64 {
        self.lock().value_at_quantile(of_a_hundred / 100.0) as f64 / 1e3
    }

    /// Removes all durations.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Histogram<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
