//! Thousands of clients that connect at once.

use metaia_tests::faults::kernel::descriptors;
use metaia_tests::server::{Listening as _, Setup};
use tokio::time::Instant;

use super::clients::{self, Clients};
use crate::kernel::process_cpu_time;
use crate::machine::Machine;
use crate::report::{Goal, Report};

const ROUNDS: usize = 3;
/// The numbers of clients that connect at once.
const SIZES: [usize; 3] = [1_000, 4_000, 10_000];
/// The number of clients for which each size is repeated, so that CPU times of the kernel, which
/// counts hundredths of a second, are exact enough.
const CLIENTS: usize = 10_000;
/// The number of clients of the storm that the default rate of handshakes throttles.
const THROTTLED: usize = 2_000;
/// The goal for a connection, in microseconds of CPU time.
const MAX_MICROS: f64 = 60.0;
/// The goal for the ratio of a connection's cost in the largest storm to that in the smallest.
const MAX_RATIO: f64 = 1.25;

/// The figures of the storms of one size, one value for each round.
#[derive(Debug, Default)]
struct Storms {
    micros: Vec<f64>,
    seconds: Vec<f64>,
    /// Connections that ended while they were opened.
    broken: Vec<f64>,
}

pub(super) async fn run(machine: &mut Machine, report: &mut Report) {
    let mut all = <[Storms; SIZES.len()]>::default();
    for _ in 0..ROUNDS {
        machine.calibrate();
        for (size, storms) in SIZES.into_iter().zip(&mut all) {
            measure(size, storms).await;
        }
    }
    for (size, storms) in SIZES.into_iter().zip(&all) {
        let mut add = |what: &str, unit, values: &[f64], goal| {
            report.add(
                format!("{size} clients at once: {what}"),
                unit,
                values,
                goal,
            );
        };
        add("until all are live", "s", &storms.seconds, Goal::None);
        add("connections that broke", "", &storms.broken, Goal::Never);
        add(
            "CPU of the server for each",
            "µs",
            &storms.micros,
            Goal::AtMost(MAX_MICROS),
        );
    }
    let [smallest, .., largest] = &all;
    let pairs = largest.micros.iter().zip(&smallest.micros);
    let ratios: Vec<f64> = pairs.map(|(most, least)| most / least).collect();
    let what = "CPU for each, 10000 at once / 1000 at once";
    report.add(what, "", &ratios, Goal::AtMost(MAX_RATIO));
    throttled(report).await;
}

/// Repeats the storm on one server until enough clients have connected.
async fn measure(size: usize, storms: &mut Storms) {
    let setup = Setup::new().env("METAIA_LIMITS", "handshakes_per_s=1000000");
    let server = setup.env("RUST_LOG", "warn").start().await;
    let mut clients = Clients::start([server.port()]);
    let idle = descriptors(server.pid());
    let times = CLIENTS.div_ceil(size);
    let mut broken = 0;
    let mut used = 0.0;
    let mut took = 0.0;
    for _ in 0..times {
        let before = process_cpu_time(server.pid());
        let begun = Instant::now();
        let refused = clients.connect(size, size).await;
        broken += refused.broken;
        assert_eq!(refused.attempts, refused.broken, "no client is refused");
        took += begun.elapsed().as_secs_f64();
        used += process_cpu_time(server.pid()) - before;
        clients.leave().await;
        clients::until_left(&server, idle).await;
    }
    storms.broken.push(broken as f64);
    storms.micros.push(used * 1e6 / (times * size) as f64);
    storms.seconds.push(took / times as f64);
    server.kill().await;
}

/// Measures a storm that the default limits of the server throttle.
async fn throttled(report: &mut Report) {
    let [mut at_first, mut attempts, mut seconds] = <[Vec<f64>; 3]>::default();
    for _ in 0..ROUNDS {
        let server = Setup::new().env("RUST_LOG", "error").start().await;
        let mut clients = Clients::start([server.port()]);
        let begun = Instant::now();
        let refused = clients.connect(THROTTLED, THROTTLED).await;
        seconds.push(begun.elapsed().as_secs_f64());
        at_first.push(refused.clients as f64);
        attempts.push(refused.attempts as f64);
        server.kill().await;
    }
    let mut add = |what: &str, unit, values: &[f64]| {
        let what = format!("{THROTTLED} at once, 500 handshakes/s: {what}");
        report.add(what, unit, values, Goal::None);
    };
    add("until all are live", "s", &seconds);
    add("refused at first (503)", "", &at_first);
    add("refused attempts of all", "", &attempts);
}
