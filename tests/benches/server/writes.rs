//! Status changes and emits over REST, each acknowledged when it is on stable storage.

use metaia_tests::figures::median;
use metaia_tests::fixtures::{id_of, order_body};
use metaia_tests::server::rest::Api;
use metaia_tests::server::{API_KEY, Server, Setup};
use serde_json::json;

use crate::disk::measure_syncs;
use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::report::{Goal, Report};
use crate::workers::{Done, run_all, run_parallel, timed};

const ROUNDS: usize = 3;
/// The number of orders and of emits in each round, for all callers together.
const ORDERS: usize = 1_280;
const EMITS: usize = 6_400;
/// The statuses of an order, set by an admin.
const STEPS: [&str; 5] = [
    "confirmed",
    "in_progress",
    "ready",
    "out_for_delivery",
    "delivered",
];

/// A set of measurements with their goals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The label of the storage, which is appended to each figure's name.
    pub(crate) on: &'static str,
    /// The number of parallel callers, and the goal for the p99 of their status changes in
    /// milliseconds.
    pub(crate) callers: [(usize, Option<f64>); 2],
    /// The goal for status changes per second, and the syncs per second that the disk must reach
    /// for it. The goal is lower on a slower disk.
    pub(crate) rate: (f64, f64),
}

/// The embedded store. 128 callers that never pause wait for each other: their latency is their
/// number divided by the rate.
const EMBEDDED: Plan = Plan {
    on: "durable",
    callers: [(32, Some(25.0)), (128, None)],
    rate: (1_500.0, 300.0),
};

/// One kind of write by one number of callers, in all rounds.
#[derive(Default)]
struct Figures {
    per_second: Vec<f64>,
    median: Vec<f64>,
    p99: Vec<f64>,
}

/// Measures the embedded store.
pub(crate) async fn on_disk(machine: &mut Machine, report: &mut Report) {
    let server = Setup::new()
        .env("METAIA_DURABILITY", "full")
        .env("RUST_LOG", "warn")
        .start()
        .await;
    run(&[&server], EMBEDDED, machine, report).await;
    server.stop().await;
}

/// Measures these servers, which the callers share. Returns the number of requests that wrote.
pub(crate) async fn run(
    servers: &[&Server],
    plan: Plan,
    machine: &mut Machine,
    report: &mut Report,
) -> usize {
    let mut disk = Figures::default();
    let mut changes = plan.callers.map(new);
    let mut emits = plan.callers.map(new);
    for _ in 0..ROUNDS {
        machine.calibrate();
        for (index, (callers, _)) in plan.callers.into_iter().enumerate() {
            disk.add(&measure_syncs().await);
            changes[index].add(&walk_orders(servers, callers).await);
            disk.add(&measure_syncs().await);
            emits[index].add(&emit(servers, callers).await);
        }
    }
    disk.report(report, "disk: 4 KiB appended + fdatasync", [Goal::None; 2]);
    let rate = plan.rate.0 * (median(&disk.per_second) / plan.rate.1).min(1.0);
    let on = plan.on;
    for ((callers, p99), figures) in plan.callers.iter().zip(changes) {
        let goals = [Goal::AtLeast(rate), p99.map_or(Goal::None, Goal::AtMost)];
        figures.report(
            report,
            &format!("order status changes, {on}, {callers} callers"),
            goals,
        );
    }
    for ((callers, _), figures) in plan.callers.iter().zip(emits) {
        figures.report(
            report,
            &format!("emits over REST, {on}, {callers} callers"),
            [Goal::None; 2],
        );
    }
    ROUNDS * plan.callers.len() * (ORDERS * (1 + STEPS.len()) + EMITS)
}

fn new(_: (usize, Option<f64>)) -> Figures {
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

/// Moves orders from their placing, which is not measured, to their delivery. Each caller has its
/// own orders.
async fn walk_orders(servers: &[&Server], callers: usize) -> Done {
    let admin = |caller: usize| servers[caller % servers.len()].admin();
    let placed = run_all(callers, |caller| {
        place(admin(caller), caller, ORDERS / callers)
    })
    .await;
    run_parallel(callers, |caller, took| {
        walk(admin(caller), placed[caller].clone(), took)
    })
    .await
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
            timed(&took, admin.put(&path, &json!({"status": status})))
                .await
                .ok(200);
        }
    }
}

async fn emit(servers: &[&Server], callers: usize) -> Done {
    run_parallel(callers, |caller, took| {
        let server = servers[caller % servers.len()];
        let backend = server.anonymous().header("x-api-key", API_KEY);
        async move {
            let body = json!({
                "to": {"user": format!("user-{caller}")},
                "event": "bench:told",
                "data": {"text": "x".repeat(200)},
            });
            for _ in 0..EMITS / callers {
                let posted = timed(&took, backend.post("/api/realtime/emit", &body)).await;
                posted.ok(202);
            }
        }
    })
    .await
}
