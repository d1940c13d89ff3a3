//! The metrics of the key sets: whether the keys of issuers can be loaded.

use std::{fmt, sync::Arc};

use metaia_realtime::JwtAuthenticator;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// The label of a key set is its number in `JWKS_URL`: an address may have a password.
#[derive(Debug)]
pub(super) struct KeySetMetrics(pub(super) Arc<JwtAuthenticator>);

impl Collector for KeySetMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let sets = self.0.key_set_stats();
        let numbers = (1..=sets.len()).map(|number| number.to_string());
        let sets: Vec<_> = numbers.zip(sets).collect();
        let help = "Time since the keys of an issuer were loaded, in seconds";
        let kind = MetricType::Gauge;
        let mut family = encoder.encode_descriptor("key_set_age_seconds", help, None, kind)?;
        for (number, set) in &sets {
            let age = ConstGauge::new(set.age.as_secs());
            age.encode(family.encode_family(&[("key_set", &**number)])?)?;
        }
        let help = "Attempts to load the keys of an issuer that failed";
        let kind = MetricType::Counter;
        let mut family = encoder.encode_descriptor("key_set_load_errors", help, None, kind)?;
        for (number, set) in &sets {
            let failures = ConstCounter::new(set.failures);
            failures.encode(family.encode_family(&[("key_set", &**number)])?)?;
        }
        Ok(())
    }
}
