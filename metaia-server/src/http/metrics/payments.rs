//! The metrics of payments, read when the monitoring asks for them.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

use crate::services::Services;

#[derive(Debug)]
pub(super) struct PaymentMetrics(pub(super) Services);

impl Collector for PaymentMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counts = self.0.payment_counts();
        let help = "Signed webhooks of the payment provider without effect, by their reason";
        let name = "webhooks_ignored";
        write_counters(&mut encoder, name, help, "reason", counts.ignored())?;
        let help = "Payments that got a flag: each needs a person";
        let name = "payment_flags";
        write_counters(&mut encoder, name, help, "flag", counts.flags())?;
        let help = "Attempts at payments whose id does not have the form of the provider's";
        let unusual = ConstCounter::new(counts.unusual_ids());
        let kind = MetricType::Counter;
        unusual.encode(encoder.encode_descriptor("payment_unusual_ids", help, None, kind)?)
    }
}

fn write_counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    counts: impl Iterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (value, count) in counts {
        ConstCounter::new(count).encode(family.encode_family(&[(label, value)])?)?;
    }
    Ok(())
}
