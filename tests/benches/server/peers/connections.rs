//! The cost of connections: to open them, to keep them in memory, and to ping them.

use std::time::Duration;

use tokio::task::block_in_place;

use super::pattern::Pattern;
use super::row::Row;
use super::run::Run;
use super::server::PeerServer;
use super::table;
use crate::crowd::{Crowd, connect};

/// Connections after which a server has set up what all of them share.
const FIRST: usize = 100;
/// The time in which a server that has accepted the last client becomes idle.
const SETTLE: Duration = Duration::from_millis(500);
/// The interval between pings for which the cost of an idle connection is given, in seconds.
const PING_SECONDS: f64 = 25.0;

/// Measures these patterns of one row once.
pub(super) async fn measure(run: &mut Run, row: &Row, patterns: &[Pattern]) {
    if patterns.is_empty() {
        return;
    }
    let plan = run.plan;
    let ping = row.contender.ping(plan.ping);
    let server = run.start(row.contender, ping).await;
    let mut crowd = Crowd::new();
    open(&server, row, &mut crowd, FIRST);
    let memory = server.resident_kib();
    let used = server.cpu();
    open(&server, row, &mut crowd, plan.idle);
    let opened = (plan.idle - FIRST) as f64;
    let used = (server.cpu() - used).micros_per(opened);
    let memory = (server.resident_kib() - memory) / opened;
    if patterns.contains(&Pattern::Connect) {
        run.add(row, table::CONNECT, used.total());
    }
    if patterns.contains(&Pattern::Idle) {
        run.add(row, table::MEMORY, memory);
        if let Some(cost) = cost_of_idling(&server, &mut crowd, ping, plan.idle_time) {
            run.add(row, table::IDLE, cost);
        }
    }
    run.stop(server).await;
}

/// Connects clients until there are `size`, and waits until the server is idle.
fn open(server: &PeerServer, row: &Row, crowd: &mut Crowd, size: usize) {
    let users = crowd.size()..size;
    connect(row.door(server.port()), users, crowd.arrivals());
    block_in_place(|| {
        crowd.admit(size);
        crowd.rest(SETTLE);
    });
}

/// Returns the CPU time of an idle connection in each second, in microseconds, or nothing if the
/// server does not ping.
fn cost_of_idling(
    server: &PeerServer,
    crowd: &mut Crowd,
    ping: Duration,
    least: Duration,
) -> Option<f64> {
    // Whole intervals: clients that connected together are pinged together.
    let intervals = least.div_duration_f64(ping).ceil();
    let pings_before = crowd.pings();
    let used = server.cpu();
    block_in_place(|| crowd.rest(ping.mul_f64(intervals)));
    let used = server.cpu() - used;
    let pings = crowd.pings() - pings_before;
    (pings > 0).then(|| used.micros_per(pings as f64).total() / PING_SECONDS)
}
