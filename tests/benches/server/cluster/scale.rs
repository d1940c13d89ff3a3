//! The same clients and events on one, two and three nodes: the cost of each further node.

use std::time::Duration;

use metaia_tests::faults::cluster::Nodes;
use serde_json::{Value, json};

use super::mongod::Counters;
use super::{Services, wait};
use crate::kernel::process_cpu_time;
use crate::machine::Machine;
use crate::publisher::Publisher;
use crate::readers::Readers;
use crate::report::{Goal, Report};

const ROUNDS: usize = 5;
const MAX_NODES: usize = 3;
/// The number of clients on all nodes together, in equal parts. Each event is for one of them.
const CLIENTS: usize = 300;
const EVENT_INTERVAL: Duration = Duration::from_millis(5);
const BYTES: usize = 200;
const SETTLE: Duration = Duration::from_secs(2);
const MEASURE: Duration = Duration::from_secs(8);

/// One measurement per event: microseconds of CPU time, and operations of `mongod`.
struct Measured {
    /// CPU time of the node that appends.
    first: f64,
    /// CPU time of all other nodes together.
    others: f64,
    mongod: f64,
    operations: f64,
    p99: f64,
}

pub(super) async fn run(machine: &mut Machine, report: &mut Report) {
    let services = Services::start().await;
    let mut all: [Vec<Measured>; MAX_NODES] = Default::default();
    for _ in 0..ROUNDS {
        machine.calibrate();
        for (index, measured) in all.iter_mut().enumerate() {
            measured.push(Measured::with(index + 1, &services).await);
        }
    }
    report_all(report, &all);
}

fn recipient(n: u64) -> Value {
    json!({"user": format!("customer-{}", n % CLIENTS as u64)})
}

impl Measured {
    async fn with(count: usize, services: &Services) -> Self {
        let mut nodes = services.nodes(count).await;
        let publisher = Publisher::start_to(recipient, &nodes[0], EVENT_INTERVAL, BYTES);
        let share = CLIENTS / count;
        let mut readers = Vec::with_capacity(count);
        for (index, node) in nodes.running().enumerate() {
            let numbers = index * share..(index + 1) * share;
            readers.push(Readers::start(node, numbers, publisher.schedule()).await);
        }
        wait(SETTLE).await;
        for readers in &readers {
            readers.took().clear();
        }
        let before = cpu_times(&nodes);
        let mongod = Counters::now(&services.set).await;
        wait(MEASURE).await;
        let now = cpu_times(&nodes);
        let mongod = Counters::now(&services.set).await - mongod;
        let events = readers
            .iter()
            .map(|readers| readers.took().len())
            .sum::<u64>() as f64;
        let p99 = readers
            .iter()
            .map(|readers| readers.took().percentile(99.0))
            .fold(0.0, f64::max);
        publisher.stop().await;
        for readers in readers {
            readers.leave();
        }
        for node in 0..count {
            nodes.kill(node).await;
        }
        let each: Vec<_> = now
            .iter()
            .zip(&before)
            .map(|(now, before)| (now - before) * 1e6 / events)
            .collect();
        Self {
            first: each[0],
            others: each[1..].iter().sum(),
            mongod: mongod.cores * 1e6 / events,
            operations: mongod.operations / events,
            p99,
        }
    }

    fn nodes(&self) -> f64 {
        self.first + self.others
    }
}

/// Returns the CPU time of each node, in seconds.
fn cpu_times(nodes: &Nodes) -> Vec<f64> {
    nodes
        .running()
        .map(|server| process_cpu_time(server.pid()))
        .collect()
}

fn report_all(report: &mut Report, all: &[Vec<Measured>; MAX_NODES]) {
    for (index, measured) in all.iter().enumerate() {
        let count = index + 1;
        let mut add = |what: &str, unit, value: &dyn Fn(&Measured) -> f64| {
            let values: Vec<_> = measured.iter().map(value).collect();
            report.add(
                format!("{count} of {MAX_NODES} nodes: {what}"),
                unit,
                &values,
                Goal::None,
            );
        };
        add("CPU of all nodes, per event", "µs", &Measured::nodes);
        if index > 0 {
            add("of each node that only reads", "µs", &|measured| {
                measured.others / index as f64
            });
        }
        add("mongod's CPU, per event", "µs", &|measured| {
            measured.mongod
        });
        add("operations of mongod, per event", "", &|measured| {
            measured.operations
        });
        add("p99 from due to read", "ms", &|measured| measured.p99);
    }
    let [one, .., most] = all;
    let further = one
        .iter()
        .zip(most)
        .map(|(one, most)| (most.nodes() - one.nodes()) / (MAX_NODES - 1) as f64);
    let further: Vec<_> = further.collect();
    report.add(
        "each further node adds, per event",
        "µs",
        &further,
        Goal::None,
    );
}
