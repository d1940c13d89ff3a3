//! The cost of a node with many idle clients, and the operations that it causes at `mongod`.

use std::time::Duration;

use super::mongod::Counters;
use super::{Services, wait};
use crate::kernel::{process_cpu_time, resident};
use crate::machine::Machine;
use crate::publisher::Schedule;
use crate::readers::Readers;
use crate::report::{Goal, Report};

const ROUNDS: usize = 3;
const CLIENTS: usize = 4_000;
const MEASURE: Duration = Duration::from_secs(10);

pub(super) async fn run(machine: &mut Machine, report: &mut Report) {
    let services = Services::start().await;
    let [mut memory, mut operations, mut cores] = <[Vec<f64>; 3]>::default();
    for _ in 0..ROUNDS {
        machine.calibrate();
        let mut nodes = services.nodes(1).await;
        let pid = nodes[0].pid();
        let empty = resident(pid);
        let readers = Readers::start(&nodes[0], 0..CLIENTS, Schedule::every(MEASURE)).await;
        wait(MEASURE).await;
        memory.push((resident(pid) - empty) * 1024.0 / CLIENTS as f64);
        let before = Counters::now(&services.set).await;
        let used = process_cpu_time(pid);
        wait(MEASURE).await;
        let asked = Counters::now(&services.set).await - before;
        operations.push(asked.operations / MEASURE.as_secs_f64());
        cores.push((process_cpu_time(pid) - used) * 100.0 / MEASURE.as_secs_f64());
        readers.leave();
        nodes.kill(0).await;
    }
    let mut add = |what: &str, unit, values: &[f64]| report.add(what, unit, values, Goal::None);
    add("4,000 idle clients: memory of each", "KiB", &memory);
    add(
        "4,000 idle clients: operations of mongod a second",
        "",
        &operations,
    );
    add("4,000 idle clients: of one core", "%", &cores);
}
