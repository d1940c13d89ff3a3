//! The metric of the store: why it cannot be written.

use std::fmt;

use metaia_realtime::sqlite::WriteObstacle;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};

use crate::services::Services;

#[derive(Debug)]
pub(super) struct StoreMetrics(pub(super) Services);

impl Collector for StoreMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "1 while the embedded store cannot be written for this reason";
        let kind = MetricType::Gauge;
        let mut family = encoder.encode_descriptor("store_write_obstacle", help, None, kind)?;
        let current = self.0.write_obstacle();
        for obstacle in WriteObstacle::ALL {
            let value = ConstGauge::new(i64::from(current == Some(obstacle)));
            value.encode(family.encode_family(&[("reason", obstacle.code())])?)?;
        }
        Ok(())
    }
}
