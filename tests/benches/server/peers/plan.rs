//! The sizes of a run.

use std::time::Duration;

use super::deliveries::TICK;
use super::pattern::Pattern;
use super::row::Row;
use crate::crowd::Opening;

/// The time in which a server starts and accepts a thousand clients, for each of the patterns that
/// are measured with them.
const SHARE_OF_START: Duration = Duration::from_millis(500);

/// The amount of what is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// The number of times that each server is measured, in turn with the others.
    pub(super) rounds: usize,
    /// The number of rounds that measure connections, too. Their figures vary less.
    pub(super) rounds_of_connections: usize,
    /// The number of clients that receive events.
    pub(super) clients: usize,
    /// The CPU time that a server spends for one figure, in seconds. The kernel counts hundredths.
    pub(super) budget: f64,
    /// The number of events at a fixed rate.
    pub(super) ticks: u64,
    /// The number of idle connections.
    pub(super) idle: usize,
    /// The interval between the pings of an idle connection.
    pub(super) ping: Duration,
    /// The least time in which the pings' cost is measured.
    pub(super) idle_time: Duration,
    /// True if the peers' connections are measured by each way to open them.
    pub(super) is_full: bool,
}

impl Plan {
    /// A run of at most 15 minutes.
    pub(super) const FULL: Self = Self {
        rounds: 5,
        rounds_of_connections: 3,
        clients: 1_000,
        budget: 0.6,
        ticks: 40,
        idle: 10_000,
        ping: Duration::from_secs(5),
        idle_time: Duration::from_secs(5),
        is_full: true,
    };

    /// A run of less than three minutes.
    pub(super) const QUICK: Self = Self {
        rounds: 2,
        rounds_of_connections: 1,
        clients: 1_000,
        budget: 0.4,
        ticks: 20,
        idle: 4_000,
        ping: Duration::from_secs(1),
        idle_time: Duration::from_secs(2),
        is_full: false,
    };

    /// Returns the number of rounds that measure a pattern.
    pub(super) const fn rounds_of(&self, pattern: Pattern) -> usize {
        if pattern.is_delivery() {
            self.rounds
        } else {
            self.rounds_of_connections
        }
    }

    /// Estimates the time of a run, by what servers cost on the machine of `docs/benchmarks.md`.
    pub(super) fn estimate(&self, rows: &[Row], patterns: &[Pattern]) -> Duration {
        let of_row = |row: &Row| {
            let patterns = patterns.iter().copied();
            let measured = patterns.filter(|pattern| row.has(*pattern, self.is_full));
            let times = measured.map(|pattern| {
                let rounds = self.rounds_of(pattern);
                self.time(row.opening, pattern).mul_f64(rounds as f64)
            });
            times.sum::<Duration>()
        };
        rows.iter().map(of_row).sum()
    }

    /// Estimates the time of a pattern in one round, with its share of the server's start.
    fn time(&self, opening: Opening, pattern: Pattern) -> Duration {
        let connection = match opening {
            Opening::WebSocket => Duration::from_micros(300),
            Opening::Upgrade => Duration::from_micros(800),
        };
        match pattern {
            // The server also waits for its clients.
            Pattern::FanOut | Pattern::FanOutOf4 | Pattern::Unicast => {
                SHARE_OF_START + Duration::from_secs_f64(1.7 * self.budget)
            }
            Pattern::Rate => SHARE_OF_START + TICK.mul_f64(self.ticks as f64),
            Pattern::Connect => 3 * SHARE_OF_START + connection.mul_f64(self.idle as f64),
            Pattern::Idle => self.idle_time,
        }
    }
}
