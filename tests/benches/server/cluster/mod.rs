//! `bench cluster`: several nodes on a real MongoDB and a real Redis.

mod idle;
mod latency;
mod mongod;
mod scale;

use std::time::Duration;

use metaia_tests::faults::cluster::{Nodes, Redis, ReplicaSet, node};
use tokio::time::{Instant, interval_at};

use crate::machine::Machine;
use crate::report::{Goal, Report};
use crate::writes::{self, Plan};
use mongod::Counters;

/// The goal of one node: changes per second on a disk with this number of syncs per second.
const ONE_NODE: Plan = Plan {
    on: "one node, MongoDB",
    callers: [(32, None), (128, None)],
    rate: (2_000.0, 300.0),
};
/// Two nodes that write at the same time compete for the end of the log.
const TWO_NODES: Plan = Plan {
    on: "two nodes, MongoDB",
    callers: [(32, None), (128, None)],
    rate: (0.0, 300.0),
};

/// Runs all parts.
pub(crate) async fn run(machine: &mut Machine, report: &mut Report) {
    for part in ["writes", "latency", "nodes", "idle"] {
        run_only(part, machine, report).await;
    }
}

/// Runs one part.
pub(crate) async fn run_only(part: &str, machine: &mut Machine, report: &mut Report) {
    match part {
        "writes" => writes(machine, report).await,
        "latency" => latency::run(machine, report).await,
        "nodes" => scale::run(machine, report).await,
        "idle" => idle::run(machine, report).await,
        _ => panic!("{part} is not one of writes, latency, nodes, idle"),
    }
}

async fn writes(machine: &mut Machine, report: &mut Report) {
    let services = Services::start().await;
    for plan in [ONE_NODE, TWO_NODES] {
        let nodes = services
            .nodes(if plan.on == ONE_NODE.on { 1 } else { 2 })
            .await;
        let servers: Vec<_> = nodes.running().collect();
        let before = Counters::now(&services.set).await;
        let requests = writes::run(&servers, plan, machine, report).await;
        let counted = Counters::now(&services.set).await - before;
        let each = requests as f64 / counted.transactions;
        report.add(
            format!("requests in a transaction, {}", plan.on),
            "",
            &[each],
            Goal::None,
        );
    }
}

/// The services that the nodes depend on: one `mongod` as a replica set of one member, and Redis.
pub(crate) struct Services {
    set: ReplicaSet,
    redis: Redis,
}

impl Services {
    /// Starts them.
    pub(crate) async fn start() -> Self {
        let (set, redis) = tokio::join!(ReplicaSet::start(1), Redis::start());
        Self { set, redis }
    }

    /// Starts this number of nodes on an empty database.
    pub(crate) async fn nodes(&self, count: usize) -> Nodes {
        let uri = self
            .set
            .uri(&format!("bench-{}", uuid::Uuid::new_v4().simple()));
        let setup = || node(&uri, Some(&self.redis)).env("RUST_LOG", "warn");
        let nodes = Nodes::start_all((0..count).map(|_| setup()).collect()).await;
        nodes.ready().await;
        nodes
    }
}

/// Waits for this time.
pub(crate) async fn wait(time: Duration) {
    interval_at(Instant::now() + time, time).tick().await;
}
