//! The metrics of the gate: wrong API keys, wrong signatures of webhooks, and other requests that
//! are refused there.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

use crate::auth::key_guard::KeyGuard;

#[derive(Debug)]
pub(super) struct KeyMetrics(pub(super) Arc<KeyGuard>);

impl Collector for KeyMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Wrong API keys and wrong signatures of webhooks, refused and too many alike";
        let kind = MetricType::Counter;
        let mut family = encoder.encode_descriptor("wrong_keys", help, None, kind)?;
        for (kind, count) in self.0.counts() {
            ConstCounter::new(count).encode(family.encode_family(&[("kind", kind)])?)?;
        }
        let help =
            "REST requests refused for their token, their role, their rate or a repeated header";
        let kind = MetricType::Counter;
        let mut family = encoder.encode_descriptor("requests_refused", help, None, kind)?;
        for (code, count) in self.0.refused_requests() {
            ConstCounter::new(count).encode(family.encode_family(&[("code", code)])?)?;
        }
        Ok(())
    }
}
