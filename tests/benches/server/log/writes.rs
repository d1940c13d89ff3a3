//! Status changes and emits over REST, each answered when it is on the disk.

use metaia_tests::fixtures::{id_of, order_body};
use metaia_tests::rest::Api;
use metaia_tests::server::{API_KEY, Server, Setup};
use serde_json::json;

use crate::disk::syncs;
use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::report::{Goal, Report, median};
use crate::workers::{Done, each, side_by_side, timed};

const ROUNDS: usize = 3;
const CALLERS: [usize; 2] = [32, 128];
/// In each round, of all callers together.
const ORDERS: usize = 1_280;
const EMITS: usize = 6_400;
/// The way of an order, by an admin.
const STEPS: [&str; 5] = ["confirmed", "in_progress", "ready", "out_for_delivery", "delivered"];
/// Changes a second, and the syncs a second that the disk must allow for it: less on a slower disk.
const GOAL: (f64, f64) = (1_500.0, 300.0);
/// For each number of callers. 128 who never pause wait for each other: that is their number, divided by the rate.
const P99_MS: [Option<f64>; 2] = [Some(25.0), None];

/// One kind of writes by so many callers, in all rounds.
#[derive(Default)]
struct Figures {
    per_second: Vec<f64>,
    median: Vec<f64>,
    p99: Vec<f64>,
}

pub(super) async fn run(machine: &mut Machine, report: &mut Report) {
    let server = Setup::new().env("METAIA_DURABILITY", "full").env("RUST_LOG", "warn").start().await;
    let mut disk = Figures::default();
    let (mut changes, mut emits) = (CALLERS.map(new), CALLERS.map(new));
    for _ in 0..ROUNDS {
        machine.calibrate();
        for (index, callers) in CALLERS.into_iter().enumerate() {
            disk.add(&syncs().await);
            changes[index].add(&walk_orders(&server, callers).await);
            disk.add(&syncs().await);
            emits[index].add(&emit(&server, callers).await);
        }
    }
    server.stopped().await;
    disk.report(report, "disk: 4 KiB appended + fdatasync", [Goal::None; 2]);
    let rate = GOAL.0 * (median(&disk.per_second) / GOAL.1).min(1.0);
    for ((callers, p99), figures) in CALLERS.iter().zip(P99_MS).zip(changes) {
        let goals = [Goal::AtLeast(rate), p99.map_or(Goal::None, Goal::AtMost)];
        figures.report(report, &format!("order status changes, durable, {callers} callers"), goals);
    }
    for (callers, figures) in CALLERS.iter().zip(emits) {
        figures.report(report, &format!("emits over REST, durable, {callers} callers"), [Goal::None; 2]);
    }
}

fn new(_: usize) -> Figures {
    Figures::default()
}

impl Figures {
    fn add(&mut self, done: &Done) {
        self.per_second.push(done.per_second);
        self.median.push(done.took.percentile(50.0));
        self.p99.push(done.took.percentile(99.0));
    }

    fn report(&self, report: &mut Report, what: &str, [rate, p99]: [Goal; 2]) {
        report.add(what, "/s", &self.per_second, rate);
        report.add(format!("{what}: median"), "ms", &self.median, Goal::None);
        report.add(format!("{what}: p99"), "ms", &self.p99, p99);
    }
}

/// Every caller moves orders of its own from their placing, which is not measured, to their delivery.
async fn walk_orders(server: &Server, callers: usize) -> Done {
    let admin = server.admin();
    let placed = each(callers, |caller| place(admin.clone(), caller, ORDERS / callers)).await;
    side_by_side(callers, |caller, took| walk(admin.clone(), placed[caller].clone(), took)).await
}

async fn place(admin: Api, caller: usize, count: usize) -> Vec<String> {
    let mut body = order_body();
    body["customer"] = json!(format!("customer-{caller}"));
    let mut placed = Vec::with_capacity(count);
    for _ in 0..count {
        let order = admin.post("/api/orders", &body).await.data(201)["order"].take();
        placed.push(id_of(&order).to_owned());
    }
    placed
}

async fn walk(admin: Api, orders: Vec<String>, took: Recorder) {
    for order in orders {
        let path = format!("/api/orders/{order}/status");
        for status in STEPS {
            timed(&took, admin.put(&path, &json!({"status": status}))).await.ok(200);
        }
    }
}

async fn emit(server: &Server, callers: usize) -> Done {
    let backend = server.anonymous().header("x-api-key", API_KEY);
    side_by_side(callers, |caller, took| {
        let backend = backend.clone();
        async move {
            let data = json!({"text": "x".repeat(200)});
            let body = json!({"to": {"user": format!("user-{caller}")}, "event": "bench:told", "data": data});
            for _ in 0..EMITS / callers {
                timed(&took, backend.post("/api/realtime/emit", &body)).await.ok(202);
            }
        }
    })
    .await
}
