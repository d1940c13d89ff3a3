//! `bench log`: durable writes, the start with a long log, and the reconnection of all clients
//! after `kill -9`.

mod client;
mod start;
mod storm;

use crate::machine::Machine;
use crate::report::Report;
use crate::writes;

/// Runs all parts.
pub(crate) async fn run(machine: &mut Machine, report: &mut Report) {
    writes::on_disk(machine, report).await;
    start::run(machine, report).await;
    storm::run(machine, report).await;
}

/// Runs one part.
pub(crate) async fn run_only(part: &str, machine: &mut Machine, report: &mut Report) {
    match part {
        "writes" => writes::on_disk(machine, report).await,
        "start" => start::run(machine, report).await,
        "storm" => storm::run(machine, report).await,
        _ => panic!("{part} is not one of writes, start, storm"),
    }
}
