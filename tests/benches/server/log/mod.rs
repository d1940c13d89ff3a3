//! `bench log`: durable writes, the start with a long log, and the return of everybody after `kill
//! -9`.

mod client;
mod start;
mod storm;

use crate::machine::Machine;
use crate::report::Report;
use crate::writes;

/// All of it.
pub(crate) async fn run(machine: &mut Machine, report: &mut Report) {
    writes::on_disk(machine, report).await;
    start::run(machine, report).await;
    storm::run(machine, report).await;
}

/// One part.
pub(crate) async fn run_only(part: &str, machine: &mut Machine, report: &mut Report) {
    match part {
        "writes" => writes::on_disk(machine, report).await,
        "start" => start::run(machine, report).await,
        "storm" => storm::run(machine, report).await,
        _ => panic!("{part} is not one of writes, start, storm"),
    }
}
