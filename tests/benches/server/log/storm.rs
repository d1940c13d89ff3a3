//! All clients reconnect at once: two thousand live clients, with events flowing, and the server is
//! killed.

use std::time::Duration;

use metaia_tests::server::ports::Port;
use metaia_tests::server::{API_KEY, Listening as _, Server, Setup};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, timeout};

use super::client::{Arrival, Client, END_EVENT, ResumeBy, Tally};
use crate::machine::Machine;
use crate::publisher::{Publisher, post};
use crate::report::{Goal, Report};

const ROUNDS: usize = 3;
const CLIENTS: usize = 2_000;
/// The interval between two events, which go to everyone.
const EVENT_INTERVAL: Duration = Duration::from_millis(100);
const BYTES: usize = 200;
/// The time during which events flow before the kill.
const FLOW_TIME: Duration = Duration::from_secs(3);
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(60);
const GOAL_S: f64 = 10.0;

/// The storms: name, way of resuming, and the server's limits.
const STORMS: [(&str, ResumeBy, Option<&str>); 3] = [
    (
        "auth.since",
        ResumeBy::Since,
        Some("handshakes_per_s=10000"),
    ),
    (
        "auth.device alone",
        ResumeBy::Device,
        Some("handshakes_per_s=10000"),
    ),
    ("auth.since, 500 handshakes/s", ResumeBy::Since, None),
];

/// The measurements in all rounds.
#[derive(Debug, Default)]
struct Figures {
    since_kill: Vec<f64>,
    since_listening: Vec<f64>,
    reads: Vec<f64>,
    reset: Vec<f64>,
    missing: Vec<f64>,
    twice: Vec<f64>,
}

pub(super) async fn run(machine: &mut Machine, report: &mut Report) {
    let mut figures = STORMS.map(|_| Figures::default());
    for _ in 0..ROUNDS {
        machine.calibrate();
        for ((_, resume_by, limits), figures) in STORMS.iter().zip(&mut figures) {
            figures.storm(*resume_by, *limits).await;
        }
    }
    for ((name, ..), figures) in STORMS.iter().zip(figures) {
        figures.report(report, &format!("2,000 back, {name}"));
    }
}

impl Figures {
    async fn storm(&mut self, resume_by: ResumeBy, limits: Option<&str>) {
        let mut setup = Setup::new().with_fixed_port();
        if let Some(limits) = limits {
            setup = setup.env("METAIA_LIMITS", limits);
        }
        let server = setup.start().await;
        let mut crowd = Crowd::start(&server, resume_by).await;
        let publisher = Publisher::start(&server, EVENT_INTERVAL, BYTES);
        interval_at(Instant::now() + FLOW_TIME, FLOW_TIME)
            .tick()
            .await;
        let killed = Instant::now();
        let server = server.kill().await.start().await;
        let listening = Instant::now();
        let back = crowd.wait_until_live().await;
        let last = back
            .iter()
            .map(|arrival| arrival.at)
            .max()
            .expect("at least one client");
        self.since_kill.push((last - killed).as_secs_f64());
        self.since_listening.push((last - listening).as_secs_f64());
        self.reset
            .push(back.iter().filter(|arrival| !arrival.recovered).count() as f64);
        let sent = publisher.stop().await;
        self.count(sent, &crowd.leave(&server).await);
        self.reads.push(reads(server).await / CLIENTS as f64);
    }

    fn count(&mut self, sent: u64, tallies: &[Tally]) {
        let missing = tallies
            .iter()
            .map(|tally| sent - tally.seen.len() as u64)
            .sum::<u64>();
        self.missing.push(missing as f64);
        self.twice
            .push(tallies.iter().map(|tally| tally.twice).sum::<u64>() as f64);
    }

    fn report(&self, report: &mut Report, what: &str) {
        report.add(
            format!("{what}: since the kill"),
            "s",
            &self.since_kill,
            Goal::AtMost(GOAL_S),
        );
        report.add(
            format!("{what}: since it listens"),
            "s",
            &self.since_listening,
            Goal::None,
        );
        report.add(
            format!("{what}: reads of the store, each"),
            "",
            &self.reads,
            Goal::AtMost(1.0),
        );
        report.add(
            format!("{what}: told to reload"),
            "",
            &self.reset,
            Goal::Never,
        );
        report.add(
            format!("{what}: events missing"),
            "",
            &self.missing,
            Goal::Never,
        );
        report.add(format!("{what}: events twice"), "", &self.twice, Goal::None);
    }
}

/// All clients.
struct Crowd {
    clients: Vec<JoinHandle<Tally>>,
    arrivals: mpsc::Receiver<Arrival>,
}

impl Crowd {
    /// Connects the clients and waits until all are live.
    async fn start(server: &Server, resume_by: ResumeBy) -> Self {
        let (sender, arrivals) = mpsc::channel(CLIENTS);
        let port = Port(server.port());
        let client =
            |number| tokio::spawn(Client::new(resume_by, number, sender.clone()).live(port));
        let mut crowd = Self {
            clients: (0..CLIENTS).map(client).collect(),
            arrivals,
        };
        crowd.wait_until_live().await;
        crowd
    }

    /// Waits until all clients are live again.
    async fn wait_until_live(&mut self) -> Vec<Arrival> {
        let mut all = Vec::with_capacity(CLIENTS);
        let arriving = async {
            while all.len() < CLIENTS {
                all.push(self.arrivals.recv().await.expect("the clients still run"));
            }
        };
        let in_time = timeout(ARRIVAL_TIMEOUT, arriving).await.is_ok();
        assert!(
            in_time,
            "only {} of {CLIENTS} clients came within {ARRIVAL_TIMEOUT:?}",
            all.len()
        );
        all
    }

    /// Publishes the last event and waits until all clients have it. A client that has it has
    /// everything before it, or will never receive it.
    async fn leave(self, server: &Server) -> Vec<Tally> {
        post(
            server.anonymous().header("x-api-key", API_KEY),
            json!("everyone"),
            END_EVENT,
            json!({}),
        )
        .await;
        let mut tallies = Vec::with_capacity(CLIENTS);
        for client in self.clients {
            tallies.push(
                timeout(ARRIVAL_TIMEOUT, client)
                    .await
                    .expect("the last event")
                    .expect("a client"),
            );
        }
        tallies
    }
}

/// Stops the server and returns how often it has read its store since its start, which it logs at
/// its end.
async fn reads(mut server: Server) -> f64 {
    const WORDS: &str = " reads of the database";
    server.signal("TERM").await;
    server.wait_for_output(WORDS).await;
    server.wait().await;
    let lines = server.output_lines();
    let line = lines
        .iter()
        .find_map(|line| line.split_once(WORDS))
        .expect("the line with the number of reads")
        .0;
    line.rsplit(' ')
        .next()
        .and_then(|count| count.parse().ok())
        .expect("a number")
}
