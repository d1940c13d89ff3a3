//! `bench attack`: a thousand good clients, and newcomers, beside one attack after the other.
//!
//! Each attack has a server of its own, and a process of its own with low priority on other
//! loopback addresses. What it does is in [`kind`].

mod attackers;
mod flood;
mod kind;
mod measured;
mod newcomers;
mod preparation;
pub(crate) mod program;
mod sockets;

use std::time::Duration;

use metaia_tests::server::{Listening as _, Setup};
use tokio::time::Instant;

use crate::cluster::wait;
use crate::machine::Machine;
use crate::publisher::Publisher;
use crate::readers::Readers;
use crate::report::{Goal, Report};
use attackers::Attackers;
use kind::Attack;
use measured::{Measured, Remains};
use newcomers::Newcomers;

const READERS: usize = 1_000;
/// The interval between two events, and their size. Each event goes to all readers.
const EVENT_INTERVAL: Duration = Duration::from_millis(50);
const BYTES: usize = 200;
/// The pause before each measurement, so that a change has taken effect.
const SETTLE: Duration = Duration::from_secs(3);
/// The time in which the server must have given back what an attack took.
const RECOVERY: Duration = Duration::from_secs(30);

/// The goals: how much an attack may change the readers' p99, whichever is more.
const MAX_P99_RATIO: f64 = 1.2;
const MAX_P99_RISE_MS: f64 = 15.0;
/// The percentage of newcomers that get in.
const LEAST_NEWCOMERS: f64 = 95.0;
/// The memory that may remain: a ratio, and MiB beside it.
const MAX_MEMORY_RATIO: f64 = 1.2;
const MAX_MEMORY_RISE_MIB: f64 = 32.0;
/// Descriptors and threads that a server may open for itself meanwhile.
const MAX_OTHERS: f64 = 50.0;
/// The seconds in which SIGTERM ends the server under attack.
const MAX_END_S: f64 = 15.0;

/// The figures of one attack.
struct Outcome {
    without: Measured,
    with: Measured,
    newcomers: f64,
    before: Remains,
    after: Remains,
    end_s: f64,
}

/// Runs the attacks of these names; without names, all.
pub(crate) async fn run(
    names: &[&str],
    machine: &mut Machine,
    report: &mut Report,
) -> Result<(), String> {
    for attack in Attack::named(names)? {
        machine.calibrate();
        let outcome = measure(attack).await;
        outcome.add_to(report, attack.name());
    }
    Ok(())
}

async fn measure(attack: Attack) -> Outcome {
    let server = Setup::new()
        .env("METAIA_DURABILITY", "normal")
        .env("RUST_LOG", "warn")
        .start()
        .await;
    let details = preparation::prepare(attack, &server).await;
    let publisher = Publisher::start(&server, EVENT_INTERVAL, BYTES);
    let readers = Readers::start(&server, 0..READERS, publisher.schedule()).await;
    wait(SETTLE).await;
    let before = Remains::now(&server);
    let without = Measured::now(&server, &readers).await;
    let attackers = Attackers::start(attack, &server, &details).await;
    wait(SETTLE).await;
    let newcomers = Newcomers::start(server.port());
    let with = Measured::now(&server, &readers).await;
    let newcomers = newcomers.stop().await;
    attackers.stop().await;
    let after = Remains::within(RECOVERY, &server, |now| now.is_back(&before)).await;
    let attackers = Attackers::start(attack, &server, &details).await;
    wait(SETTLE).await;
    publisher.stop().await;
    readers.leave();
    let begun = Instant::now();
    server.stop().await;
    let end_s = begun.elapsed().as_secs_f64();
    attackers.stop().await;
    Outcome {
        without,
        with,
        newcomers,
        before,
        after,
        end_s,
    }
}

impl Outcome {
    fn add_to(&self, report: &mut Report, attack: &str) {
        let Self { without, with, .. } = self;
        let limit = (without.p99 * MAX_P99_RATIO).max(without.p99 + MAX_P99_RISE_MS);
        let memory = (self.before.memory_mib * MAX_MEMORY_RATIO)
            .max(self.before.memory_mib + MAX_MEMORY_RISE_MIB);
        let rows = [
            ("readers' p99 without it", "ms", without.p99, Goal::None),
            ("readers' p99", "ms", with.p99, Goal::AtMost(limit)),
            (
                "newcomers that get in",
                "%",
                self.newcomers,
                Goal::AtLeast(LEAST_NEWCOMERS),
            ),
            ("the server's cores", "cores", with.cores, Goal::None),
            ("memory at its end", "MiB", with.memory_mib, Goal::None),
            (
                "memory that remains",
                "MiB",
                self.after.memory_mib,
                Goal::AtMost(memory),
            ),
            (
                "descriptors that remain",
                "",
                self.after.descriptors - self.before.descriptors,
                Goal::AtMost(MAX_OTHERS),
            ),
            (
                "threads that remain",
                "",
                self.after.threads - self.before.threads,
                Goal::AtMost(MAX_OTHERS),
            ),
            (
                "from SIGTERM to the end",
                "s",
                self.end_s,
                Goal::AtMost(MAX_END_S),
            ),
        ];
        for (what, unit, value, goal) in rows {
            report.add(format!("{attack}: {what}"), unit, &[value], goal);
        }
    }
}

impl Remains {
    /// Returns true if as much is in use as before the attack.
    fn is_back(&self, before: &Self) -> bool {
        let memory = before.memory_mib * MAX_MEMORY_RATIO;
        self.memory_mib <= memory.max(before.memory_mib + MAX_MEMORY_RISE_MIB)
            && self.descriptors <= before.descriptors + MAX_OTHERS
            && self.threads <= before.threads + MAX_OTHERS
    }
}
