//! `bench slow`: the effect of a frozen, a slow and a half-open client on a thousand good readers.

mod broken;

use std::time::Duration;

use metaia_tests::server::{Listening as _, Server, Setup};
use tokio::time::{Instant, interval_at};

use crate::kernel::{Usage, longest_send_queue, resident};
use crate::machine::Machine;
use crate::publisher::Publisher;
use crate::readers::Readers;
use crate::report::{Goal, Report};
use broken::Broken;

/// The number of pairs that are measured, and the number that are kept: the pairs during which
/// other processes used the machine least.
const PAIRS: usize = 12;
const KEPT_PAIRS: usize = 6;
const READERS: usize = 1_000;
/// The interval between two events, and their size. Each event goes to all readers.
const EVENT_INTERVAL: Duration = Duration::from_millis(50);
const BYTES: usize = 1_000;
/// The pause before each measurement, so that a change has taken effect.
const SETTLE: Duration = Duration::from_secs(2);
/// Shorter than the 15 s after which the server ends the frozen client.
const MEASURE: Duration = Duration::from_secs(8);
/// The goal for the ratio of the readers' p99 with and without the broken clients.
const MAX_P99_RATIO: f64 = 1.2;
/// The goal for the longest send queue of a connection that does not read.
const MAX_QUEUE_KIB: f64 = 256.0;

/// One measurement.
struct Measured {
    median: f64,
    p99: f64,
    usage: Usage,
    resident: f64,
}

/// One measurement without the broken clients, and one with them.
struct Pair {
    without: Measured,
    with: Measured,
    queue: f64,
}

pub(crate) async fn run(machine: &mut Machine, report: &mut Report) {
    // A disk that other processes use would hide the effect of the clients on each other.
    let setup = Setup::new().env("METAIA_DURABILITY", "normal");
    let server = setup
        .env("METAIA_LIMITS", "handshakes_per_s=10000")
        .start()
        .await;
    let publisher = Publisher::start(&server, EVENT_INTERVAL, BYTES);
    let readers = Readers::start(&server, 0..READERS, publisher.schedule()).await;
    let mut pairs = Vec::with_capacity(PAIRS);
    for _ in 0..PAIRS {
        machine.calibrate();
        pairs.push(Pair::measure(&server, &readers).await);
    }
    publisher.stop().await;
    readers.leave();
    server.stop().await;
    pairs.sort_by(|one, other| one.others().total_cmp(&other.others()));
    pairs.truncate(KEPT_PAIRS);
    report_all(report, &pairs);
}

fn report_all(report: &mut Report, pairs: &[Pair]) {
    let mut both = |what: &str, unit, value: fn(&Measured) -> f64| {
        let without: Vec<_> = pairs.iter().map(|pair| value(&pair.without)).collect();
        let with: Vec<_> = pairs.iter().map(|pair| value(&pair.with)).collect();
        report.add(what, unit, &without, Goal::None);
        report.add(
            format!("{what}, with the broken ones"),
            unit,
            &with,
            Goal::None,
        );
    };
    both("1,000 readers: median from due to read", "ms", |measured| {
        measured.median
    });
    both("1,000 readers: p99 from due to read", "ms", |measured| {
        measured.p99
    });
    both("the server's use of the cores", "cores", Measured::cores);
    both("the server's resident memory", "MiB", |measured| {
        measured.resident
    });
    let mut one = |what, unit, goal, value: fn(&Pair) -> f64| {
        report.add(
            what,
            unit,
            &pairs.iter().map(value).collect::<Vec<_>>(),
            goal,
        );
    };
    one(
        "p99 with the broken ones : p99 without",
        "",
        Goal::AtMost(MAX_P99_RATIO),
        |pair| pair.with.p99 / pair.without.p99,
    );
    one(
        "the longest send queue in the kernel",
        "KiB",
        Goal::AtMost(MAX_QUEUE_KIB),
        |pair| pair.queue,
    );
    one(
        "others' use of the cores meanwhile",
        "cores",
        Goal::None,
        |pair| pair.others() / MEASURE.as_secs_f64(),
    );
}

impl Pair {
    async fn measure(server: &Server, readers: &Readers) -> Self {
        let without = Measured::now(server, readers).await;
        let broken = Broken::start(server).await;
        let with = Measured::now(server, readers).await;
        let queue = longest_send_queue(server.port());
        broken.leave().await;
        Self {
            without,
            with,
            queue,
        }
    }

    /// Returns the use of the cores by others during the more disturbed of the two measurements.
    fn others(&self) -> f64 {
        self.without.usage.others.max(self.with.usage.others)
    }
}

impl Measured {
    async fn now(server: &Server, readers: &Readers) -> Self {
        wait(SETTLE).await;
        let took = readers.took();
        let before = Usage::now(server.pid());
        took.clear();
        wait(MEASURE).await;
        let usage = Usage::now(server.pid()) - before;
        assert!(
            took.len() > 0,
            "the readers read nothing: {:#?}",
            server.output_lines()
        );
        let median = took.percentile(50.0);
        let p99 = took.percentile(99.0);
        Self {
            median,
            p99,
            usage,
            resident: resident(server.pid()),
        }
    }

    fn cores(&self) -> f64 {
        self.usage.server / MEASURE.as_secs_f64()
    }
}

/// Waits for this time.
async fn wait(time: Duration) {
    interval_at(Instant::now() + time, time).tick().await;
}
