//! Very many connections that do nothing, one event to all of them, and what stays of them after
//! they have left.
//!
//! A process may open only so many files, so as many nodes of a cluster as necessary have them in
//! equal parts.

use std::time::Duration;

use metaia_tests::faults::cluster::Nodes;
use metaia_tests::faults::kernel::{descriptors, resident_kib};
use metaia_tests::server::{API_KEY, Listening as _};
use serde_json::json;
use tokio::time::Instant;

use super::clients::{self, Clients};
use super::files;
use crate::cluster::{Services, wait};
use crate::kernel::process_cpu_time;
use crate::machine::Machine;
use crate::publisher::post;
use crate::report::{Goal, Report};

/// The rounds, which the same nodes serve: the second one shows which memory they use again.
const ROUNDS: usize = 2;
/// The number of clients that connect at the same time.
const MAX_CONNECTING: usize = 256;
/// The time in which nodes that have accepted their last client become idle.
const SETTLE: Duration = Duration::from_secs(2);
/// The server's interval between pings.
const PING: Duration = Duration::from_secs(25);
/// The time after which the memory of clients that have left is looked at.
const AFTER: Duration = Duration::from_secs(15);
/// The event's name and text, about 300 bytes with what the server adds.
const EVENT: &str = "new_notification";
const TEXT_BYTES: usize = 150;

/// The goals for a connection: KiB of memory, and microseconds of CPU time in a second.
const MAX_KIB: f64 = 4.0;
const MAX_MICROS: f64 = 1.0;
/// The goal for the part of the memory that the nodes keep after all clients have left, in percent.
const MAX_KEPT: f64 = 20.0;

/// The figures, one value for each round.
#[derive(Debug, Default)]
struct Figures {
    live: Vec<f64>,
    memory: Vec<f64>,
    cpu: Vec<f64>,
    missing: Vec<f64>,
    event: Vec<f64>,
    delivery: Vec<f64>,
    kept: Vec<f64>,
}

pub(super) async fn run(connections: usize, machine: &mut Machine, report: &mut Report) {
    let count = files::processes(connections);
    let services = Services::start().await;
    let nodes = services.nodes(count).await;
    let clients = Clients::start(nodes.running().map(|node| node.port()));
    wait(SETTLE).await;
    let mut measured = Measured {
        empty: resident(&nodes),
        files: nodes
            .running()
            .map(|node| descriptors(node.pid()))
            .collect(),
        // The CPU time of nodes without clients, in the time of one ping.
        own: used_in(&nodes, PING).await,
        connections,
        nodes,
        clients,
    };
    let mut figures = Figures::default();
    for _ in 0..ROUNDS {
        machine.calibrate();
        measured.round(&mut figures).await;
    }
    let title = format!("{connections} connections, {count} nodes");
    figures.report(&title, report);
}

/// The nodes with their clients.
struct Measured {
    connections: usize,
    nodes: Nodes,
    clients: Clients,
    /// The memory of the nodes before the first client.
    empty: f64,
    /// The descriptors of each node before the first client.
    files: Vec<u64>,
    /// The CPU time of the nodes without clients while they would ping each once.
    own: f64,
}

impl Measured {
    async fn round(&mut self, figures: &mut Figures) {
        let begun = Instant::now();
        let refused = self.clients.connect(self.connections, MAX_CONNECTING).await;
        assert_eq!(refused.attempts, 0, "no client is refused");
        figures.live.push(begun.elapsed().as_secs_f64());
        wait(SETTLE).await;
        let connections = self.connections as f64;
        let taken = resident(&self.nodes) - self.empty;
        figures.memory.push(taken / connections);
        let used = used_in(&self.nodes, PING).await - self.own;
        figures
            .cpu
            .push(used * 1e6 / connections / PING.as_secs_f64());
        self.publish(figures).await;
        self.clients.leave().await;
        for (node, files) in self.nodes.running().zip(&self.files) {
            clients::until_left(node, *files).await;
        }
        wait(AFTER).await;
        let kept = resident(&self.nodes) - self.empty;
        figures.kept.push(kept * 100.0 / taken);
    }

    /// Publishes an event to everyone at the first node.
    async fn publish(&mut self, figures: &mut Figures) {
        let backend = self.nodes[0].anonymous().header("x-api-key", API_KEY);
        let data = json!({"n": 1, "text": "x".repeat(TEXT_BYTES)});
        let before = cpu(&self.nodes);
        let begun = Instant::now();
        post(backend, json!("everyone"), EVENT, data).await;
        let reached = self.clients.receive().await;
        figures.event.push(begun.elapsed().as_secs_f64());
        let used = cpu(&self.nodes) - before;
        figures.delivery.push(used * 1e6 / reached as f64);
        figures.missing.push((self.connections - reached) as f64);
    }
}

impl Figures {
    fn report(&self, title: &str, report: &mut Report) {
        let mut add = |what: &str, unit, values: &[f64], goal| {
            report.add(format!("{title}: {what}"), unit, values, goal);
        };
        add("until all are live", "s", &self.live, Goal::None);
        add("memory of each", "KiB", &self.memory, Goal::AtMost(MAX_KIB));
        add(
            "CPU of each, idle",
            "µs/s",
            &self.cpu,
            Goal::AtMost(MAX_MICROS),
        );
        add("an event missed", "", &self.missing, Goal::Never);
        add("until all have the event", "s", &self.event, Goal::None);
        add("CPU of a delivery", "µs", &self.delivery, Goal::None);
        add(
            "memory kept after all left",
            "%",
            &self.kept,
            Goal::AtMost(MAX_KEPT),
        );
    }
}

/// Returns the memory of all nodes, in KiB.
fn resident(nodes: &Nodes) -> f64 {
    let each = nodes.running().map(|node| resident_kib(node.pid()));
    each.sum::<u64>() as f64
}

/// Returns the CPU time that all nodes have used so far, in seconds.
fn cpu(nodes: &Nodes) -> f64 {
    let each = nodes.running().map(|node| process_cpu_time(node.pid()));
    each.sum()
}

/// Returns the CPU time of all nodes in this time from now on.
async fn used_in(nodes: &Nodes, time: Duration) -> f64 {
    let before = cpu(nodes);
    wait(time).await;
    cpu(nodes) - before
}
