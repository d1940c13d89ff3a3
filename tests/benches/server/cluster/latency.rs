//! The latency of events at the node that appended them and at another node, with and without
//! Redis.

use std::time::Duration;

use metaia_tests::faults::cluster::Nodes;

use super::{Services, wait};
use crate::machine::Machine;
use crate::publisher::Publisher;
use crate::readers::Readers;
use crate::report::{Goal, Report};

const ROUNDS: usize = 5;
/// The number of readers at each node. Every event goes to all of them.
const READERS: usize = 10;
const EVENT_INTERVAL: Duration = Duration::from_millis(25);
const BYTES: usize = 200;
const SETTLE: Duration = Duration::from_secs(2);
const MEASURE: Duration = Duration::from_secs(8);
/// The goal for the difference of the p99 between the other node and the same node, in
/// milliseconds.
const MAX_LAG_MS: f64 = 5.0;
/// The goal for the latency without Redis, in milliseconds.
const MAX_POLLED_MS: f64 = 2_500.0;

/// The latencies at one node, in all rounds.
#[derive(Default)]
struct Figures {
    median: Vec<f64>,
    p99: Vec<f64>,
    most: Vec<f64>,
}

pub(super) async fn run(machine: &mut Machine, report: &mut Report) {
    let mut services = Services::start().await;
    let nodes = services.nodes(2).await;
    services.redis.await_subscribers(2).await;
    let publisher = Publisher::start(&nodes[0], EVENT_INTERVAL, BYTES);
    let readers = start_readers(&nodes, &publisher).await;
    let (mut with, mut without) = <([Figures; 2], [Figures; 2])>::default();
    for _ in 0..ROUNDS {
        machine.calibrate();
        measure(&readers, &mut with).await;
        services.redis.kill().await;
        measure(&readers, &mut without).await;
        services.redis.run().await;
        services.redis.await_subscribers(2).await;
    }
    publisher.stop().await;
    for readers in readers {
        readers.leave();
    }
    report_all(report, &with, &without);
}

async fn start_readers(nodes: &Nodes, publisher: &Publisher) -> [Readers; 2] {
    let schedule = publisher.schedule();
    [
        Readers::start(&nodes[0], 0..READERS, schedule).await,
        Readers::start(&nodes[1], READERS..2 * READERS, schedule).await,
    ]
}

async fn measure(readers: &[Readers; 2], figures: &mut [Figures; 2]) {
    wait(SETTLE).await;
    for readers in readers {
        readers.took().clear();
    }
    wait(MEASURE).await;
    for (readers, figures) in readers.iter().zip(figures) {
        let took = readers.took();
        assert!(took.len() > 0, "the readers read nothing");
        figures.median.push(took.percentile(50.0));
        figures.p99.push(took.percentile(99.0));
        figures.most.push(took.percentile(100.0));
    }
}

fn report_all(report: &mut Report, with: &[Figures; 2], without: &[Figures; 2]) {
    let mut add = |what: &str, values: &[f64], goal| report.add(what, "ms", values, goal);
    let ways = [
        ("with Redis", with, Goal::None),
        ("Redis down", without, Goal::AtMost(MAX_POLLED_MS)),
    ];
    for (way, [same, other], goal) in ways {
        add(
            &format!("from due to read, same node, {way}: median"),
            &same.median,
            Goal::None,
        );
        add(
            &format!("from due to read, same node, {way}: p99"),
            &same.p99,
            Goal::None,
        );
        add(
            &format!("from due to read, other node, {way}: median"),
            &other.median,
            Goal::None,
        );
        add(
            &format!("from due to read, other node, {way}: p99"),
            &other.p99,
            goal,
        );
        add(
            &format!("from due to read, other node, {way}: most"),
            &other.most,
            goal,
        );
    }
    let [same, other] = with;
    let behind: Vec<_> = other
        .p99
        .iter()
        .zip(&same.p99)
        .map(|(other, same)| other - same)
        .collect();
    add(
        "p99 of the other node - p99 of the same, with Redis",
        &behind,
        Goal::AtMost(MAX_LAG_MS),
    );
}
