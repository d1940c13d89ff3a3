//! `bench access`: the time of a refusal, for an order of another customer and for one that does
//! not exist. If they differ, the time tells which ids exist.

use metaia_tests::fixtures::{id_of, order_body};
use metaia_tests::server::rest::Api;
use metaia_tests::server::{Server, Setup};
use serde_json::{Value, json};

use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::report::{Goal, Report};
use crate::workers::timed;

const ROUNDS: usize = 5;
/// The number of requests of each kind in a round, and of those before the first round.
const REQUESTS: usize = 2_000;
/// The notes of the large order: 56 items of 1,000 characters.
const LARGE_ITEMS: usize = 56;
const LARGE_NOTES: usize = 1_000;
/// The goal for the ratio of two medians. That of two ids that are both missing shows the noise.
const MAX_RATIO: f64 = 1.05;

/// The kinds of requests, in the order of their medians. The first one is what the others are
/// compared with.
const KINDS: [&str; 4] = [
    "missing",
    "missing, another id",
    "forbidden, small",
    "forbidden, 56 KiB",
];

pub(crate) async fn run(machine: &mut Machine, report: &mut Report) {
    let server = Setup::new()
        .env("METAIA_LIMITS", "rest_per_s=1000000")
        .env("RUST_LOG", "warn")
        .start()
        .await;
    let paths = paths(&server).await;
    let stranger = server.api("customer", "stranger");
    measure(&stranger, &paths).await;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        machine.calibrate();
        rounds.push(measure(&stranger, &paths).await);
    }
    add(report, &rounds);
    server.stop().await;
}

/// Returns the path of an order of each kind. The ids that are missing differ from those that exist
/// in their last digit, so that their places in an index are the same.
async fn paths(server: &Server) -> [String; KINDS.len()] {
    let small = place(server, &order_body()).await;
    let large = place(server, &large_body()).await;
    let ids = [beside(&small), beside(&large), small, large];
    ids.map(|id| format!("/api/orders/{id}"))
}

async fn place(server: &Server, body: &Value) -> String {
    let owner = server.api("customer", "owner");
    let placed = owner.post("/api/orders", body).await.data(201);
    id_of(&placed["order"]).to_owned()
}

fn large_body() -> Value {
    let notes = "n".repeat(LARGE_NOTES);
    let item = json!({"garment": "shirt", "quantity": 1, "price": 45_000, "notes": notes});
    json!({"items": vec![item; LARGE_ITEMS]})
}

fn beside(id: &str) -> String {
    let (start, last) = id.split_at(id.len() - 1);
    let other = if last == "0" { "1" } else { "0" };
    format!("{start}{other}")
}

/// Returns the median of each kind in microseconds. The kinds take turns, and another one is the
/// first of each turn.
async fn measure(stranger: &Api, paths: &[String; KINDS.len()]) -> [f64; KINDS.len()] {
    let took = KINDS.map(|_| Recorder::new());
    for turn in 0..REQUESTS {
        for n in 0..KINDS.len() {
            let kind = (turn + n) % KINDS.len();
            let answer = timed(&took[kind], stranger.get(&paths[kind])).await;
            answer.refused(404);
        }
    }
    took.map(|took| took.percentile(50.0) * 1e3)
}

fn add(report: &mut Report, rounds: &[[f64; KINDS.len()]]) {
    for (kind, name) in KINDS.iter().enumerate() {
        let medians: Vec<f64> = rounds.iter().map(|round| round[kind]).collect();
        let what = format!("GET of an order, {name}: median");
        report.add(what, "µs", &medians, Goal::None);
    }
    for (kind, name) in KINDS.iter().enumerate().skip(1) {
        let ratios: Vec<f64> = rounds.iter().map(|round| round[kind] / round[0]).collect();
        let what = format!("{name} ÷ missing");
        report.add(what, "×", &ratios, Goal::AtMost(MAX_RATIO));
    }
}
