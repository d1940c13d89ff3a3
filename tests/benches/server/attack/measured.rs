//! The figures of the server and its good clients.

use std::time::Duration;

use metaia_tests::faults::kernel::{descriptors, threads};
use metaia_tests::server::Server;
use tokio::time::Instant;

use crate::cluster::wait;
use crate::kernel::{Usage, resident};
use crate::readers::Readers;

const MEASURE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Some seconds of the good clients.
pub(super) struct Measured {
    /// In ms, from the time when an event was due until it was read.
    pub(super) p99: f64,
    pub(super) cores: f64,
    pub(super) memory_mib: f64,
}

/// The resources that a server uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remains {
    pub(super) memory_mib: f64,
    pub(super) descriptors: f64,
    pub(super) threads: f64,
}

impl Measured {
    pub(super) async fn now(server: &Server, readers: &Readers) -> Self {
        let took = readers.took();
        let before = Usage::now(server.pid());
        took.clear();
        wait(MEASURE).await;
        let usage = Usage::now(server.pid()) - before;
        assert!(took.len() > 0, "the readers read nothing");
        Self {
            p99: took.percentile(99.0),
            cores: usage.server / MEASURE.as_secs_f64(),
            memory_mib: resident(server.pid()),
        }
    }
}

impl Remains {
    pub(super) fn now(server: &Server) -> Self {
        let pid = server.pid();
        Self {
            memory_mib: resident(pid),
            descriptors: descriptors(pid) as f64,
            threads: threads(pid) as f64,
        }
    }

    /// Looks once a second until the condition holds, for at most this time. Returns what it saw
    /// last.
    pub(super) async fn within(
        limit: Duration,
        server: &Server,
        is_met: impl Fn(&Self) -> bool,
    ) -> Self {
        let begun = Instant::now();
        loop {
            let now = Self::now(server);
            if is_met(&now) || begun.elapsed() > limit {
                return now;
            }
            wait(LOOK_AGAIN).await;
        }
    }
}
