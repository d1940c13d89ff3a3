//! The cost of a delivered event, and how late it is at a fixed rate.

use std::time::Duration;

use metaia_tests::figures::CpuTime;
use tokio::task::block_in_place;
use tokio::time::Instant;

use super::pattern::Pattern;
use super::plan::Plan;
use super::row::Row;
use super::run::Run;
use super::server::PeerServer;
use super::table;
use crate::crowd::{Crowd, connect};
use crate::publisher::Schedule;
use crate::recorder::Recorder;

/// The interval between pings, which no figure here should show.
const PING: Duration = Duration::from_secs(25);
/// The time in which a server that has accepted the last client becomes idle.
const SETTLE: Duration = Duration::from_millis(300);
/// Broadcasts before anything is measured.
const WARM_UP: u64 = 20;
/// The number of users that are sent an event at once.
const USERS: u64 = 64;
/// Publications between two looks at the server's CPU time.
const BURSTS: usize = 10;
/// The time between two events at the fixed rate.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// The time after the last of them in which all must have arrived.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Measures these patterns of one row once.
pub(super) async fn measure(run: &mut Run, row: &Row, patterns: &[Pattern]) {
    if patterns.is_empty() {
        return;
    }
    let plan = run.plan;
    let mut server = run.start(row.contender, PING).await;
    let mut crowd = Crowd::new();
    let door = row.door(server.port());
    connect(door, 0..plan.clients, crowd.arrivals());
    block_in_place(|| {
        crowd.admit(plan.clients);
        crowd.rest(SETTLE);
        let mut measured = Measured {
            server: &mut server,
            crowd: &mut crowd,
            plan,
        };
        measured.warm_up();
        for pattern in patterns {
            for (figure, value) in measured.figures(*pattern) {
                run.add(row, figure, value);
            }
        }
    });
    run.stop(server).await;
}

/// A server with its clients.
struct Measured<'a> {
    server: &'a mut PeerServer,
    crowd: &'a mut Crowd,
    plan: Plan,
}

impl Measured<'_> {
    fn clients(&self) -> u64 {
        self.plan.clients as u64
    }

    fn warm_up(&mut self) {
        for _ in 0..WARM_UP {
            self.server.publish_to_everyone(1);
            self.crowd.expect(self.clients());
        }
    }

    fn figures(&mut self, pattern: Pattern) -> Vec<(&'static str, f64)> {
        match pattern {
            Pattern::FanOut => self.fan_out(1, table::FAN_OUT),
            Pattern::FanOutOf4 => self.fan_out(4, table::FAN_OUT_OF_4),
            Pattern::Unicast => self.unicast(),
            Pattern::Rate => vec![(table::P99, self.p99_at_fixed_rate())],
            Pattern::Connect | Pattern::Idle => Vec::new(),
        }
    }

    fn fan_out(&mut self, at_once: u64, names: [&'static str; 2]) -> Vec<(&'static str, f64)> {
        let deliveries = at_once * self.clients();
        let cost = self.cost(|server, _| {
            server.publish_to_everyone(at_once);
            deliveries
        });
        named(names, cost)
    }

    fn unicast(&mut self) -> Vec<(&'static str, f64)> {
        let groups = self.clients() / USERS;
        let cost = self.cost(|server, burst| {
            server.publish_to_users(burst % groups * USERS, USERS);
            USERS
        });
        named(table::UNICAST, cost)
    }

    /// Publishes again and again, each time when everything before has arrived, until the server
    /// has used the CPU time of the plan. `publish` takes the number of the burst and returns the
    /// number of deliveries.
    fn cost(&mut self, mut publish: impl FnMut(&mut PeerServer, u64) -> u64) -> CpuTime {
        let before = self.server.cpu();
        let mut delivered = 0;
        let mut burst = 0;
        loop {
            for _ in 0..BURSTS {
                let deliveries = publish(self.server, burst);
                self.crowd.expect(deliveries);
                delivered += deliveries;
                burst += 1;
            }
            let used = self.server.cpu() - before;
            if used.total() >= self.plan.budget {
                return used.micros_per(delivered as f64);
            }
        }
    }

    /// Publishes at a fixed rate and returns the 99th percentile, in milliseconds, of the time from
    /// when an event was due until a client had it.
    fn p99_at_fixed_rate(&mut self) -> f64 {
        let took = Recorder::new();
        self.crowd.count_from_zero();
        let begun = self.crowd.received();
        let wanted = self.plan.ticks * self.clients();
        let schedule = Schedule::every(TICK);
        let mut published = 0;
        while self.crowd.received() - begun < wanted {
            let wait = if published < self.plan.ticks {
                schedule
                    .due(published)
                    .saturating_duration_since(Instant::now())
            } else {
                TICK
            };
            if wait.is_zero() {
                self.server.publish_to_everyone(1);
                published += 1;
            }
            self.crowd.read(without_rounding(wait), |n| {
                took.note(Instant::now().saturating_duration_since(schedule.due(n)));
            });
            let late = Instant::now().saturating_duration_since(schedule.due(self.plan.ticks));
            assert!(
                late < WAIT_TIMEOUT,
                "{published} events were published, some are missing"
            );
        }
        took.percentile(99.0)
    }
}

/// Returns the whole and the part outside the kernel as figures.
fn named([total, user]: [&'static str; 2], cost: CpuTime) -> Vec<(&'static str, f64)> {
    vec![(total, cost.total()), (user, cost.user)]
}

/// Returns a time after which epoll surely returns before `wait` is over: it rounds up to whole
/// milliseconds. The last one is spent polling.
fn without_rounding(wait: Duration) -> Duration {
    wait.saturating_sub(Duration::from_millis(1))
}
