//! A run: each server is measured in turn, several times.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use metaia_tests::figures::{Choice, Comparison};

use super::contender::{self, Contender};
use super::cores::Cores;
use super::noise::Noise;
use super::pattern::Pattern;
use super::plan::Plan;
use super::row::Row;
use super::server::PeerServer;
use super::{connections, deliveries, table};
use crate::machine;

/// A run of the comparison: what is measured, and the figures so far.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) plan: Plan,
    cores: Cores,
    rows: Vec<Row>,
    patterns: Vec<Pattern>,
    begun: Instant,
    machine: String,
    results: Comparison,
    versions: BTreeSet<String>,
    noise: Noise,
}

impl Run {
    /// Prepares what was chosen.
    pub(super) async fn of(choice: &Choice) -> Self {
        let plan = if choice.is_quick {
            Plan::QUICK
        } else {
            Plan::FULL
        };
        let mut patterns = Pattern::ALL.to_vec();
        patterns.retain(|pattern| choice.has_pattern(pattern.name()));
        let has_figures = |row: &Row| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| row.has(*pattern, plan.is_full))
        };
        let contenders = contender::chosen(choice).await;
        let rows = contenders.into_iter().flat_map(Row::of);
        let rows: Vec<Row> = rows.filter(has_figures).collect();
        Self {
            plan,
            // Before this program moves to one of the cores, and sees only that one.
            machine: machine::description(),
            cores: Cores::choose().await,
            results: Comparison::of(rows.iter().map(Row::title).collect()),
            rows,
            patterns,
            begun: Instant::now(),
            versions: BTreeSet::new(),
            noise: Noise::default(),
        }
    }

    /// Measures all rounds.
    pub(super) async fn measure(&mut self) {
        let rounds = self.plan.rounds;
        eprintln!(
            "{} rows, {rounds} rounds: about {}",
            self.rows.len(),
            minutes(self.plan.estimate(&self.rows, &self.patterns))
        );
        for round in 1..=rounds {
            eprintln!("round {round} of {rounds}");
            // Indices, since a measurement changes the run.
            for index in 0..self.rows.len() {
                let row = self.rows[index];
                let delivered = self.wanted(&row, round, true);
                deliveries::measure(self, &row, &delivered).await;
            }
            for index in 0..self.rows.len() {
                let row = self.rows[index];
                let connected = self.wanted(&row, round, false);
                connections::measure(self, &row, &connected).await;
            }
        }
    }

    /// Returns the patterns of a row in this round, either those of deliveries or the others.
    fn wanted(&self, row: &Row, round: usize, is_delivery: bool) -> Vec<Pattern> {
        let is_wanted = |pattern: &Pattern| {
            pattern.is_delivery() == is_delivery
                && row.has(*pattern, self.plan.is_full)
                && round <= self.plan.rounds_of(*pattern)
        };
        self.patterns.iter().copied().filter(is_wanted).collect()
    }

    /// Starts a server, whose clients are pinged this often.
    pub(super) async fn start(&mut self, contender: &Contender, ping: Duration) -> PeerServer {
        let server = PeerServer::start(contender, self.cores, ping).await;
        self.versions.insert(server.versions().to_owned());
        server
    }

    /// Stops a server.
    pub(super) async fn stop(&mut self, server: PeerServer) {
        self.noise.add(server.stop().await);
    }

    /// Adds a figure, and shows it.
    pub(super) fn add(&mut self, row: &Row, figure: &'static str, value: f64) {
        let row = row.title();
        let so_far = self.begun.elapsed().as_secs();
        eprintln!("{so_far:>5} s  {row}: {figure} {value:.2}");
        self.results.add(&row, figure, value);
    }

    /// Prints the table.
    pub(super) fn print(&self) {
        let columns: Vec<_> = self
            .patterns
            .iter()
            .copied()
            .flat_map(table::columns)
            .collect();
        println!("\n{}", self.results.table(&columns));
        println!("{}", table::notes(&self.plan));
        let versions = self.versions.iter().map(String::as_str);
        let versions: Vec<&str> = versions.filter(|text| !text.is_empty()).collect();
        println!("{}", versions.join("; "));
        println!("{}; {}", self.machine, self.cores);
        println!("took {}; {}", minutes(self.begun.elapsed()), self.noise);
    }
}

fn minutes(time: Duration) -> String {
    format!("{:.1} minutes", time.as_secs_f64() / 60.0)
}
