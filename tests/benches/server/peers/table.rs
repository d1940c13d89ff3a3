//! The columns of the table, and what a reader must know of them.

use metaia_tests::figures::Column;

use super::contender::{BATCHING_FLOOR, FLOOR};
use super::pattern::Pattern;
use super::plan::Plan;

/// The figures of deliveries, each with its part in the program itself.
pub(super) const FAN_OUT: [&str; 2] = ["fan-out", "fan-out, user"];
pub(super) const FAN_OUT_OF_4: [&str; 2] = ["fan-out of 4", "fan-out of 4, user"];
pub(super) const UNICAST: [&str; 2] = ["unicast", "unicast, user"];
pub(super) const P99: &str = "p99";
pub(super) const CONNECT: &str = "connect";
pub(super) const MEMORY: &str = "memory";
pub(super) const IDLE: &str = "idle";

/// Returns the columns of a pattern.
pub(super) fn columns(pattern: Pattern) -> Vec<Column> {
    match pattern {
        Pattern::FanOut => vec![cost("fan-out, one at a time: µs (user)", FAN_OUT, FLOOR)],
        Pattern::FanOutOf4 => vec![cost(
            "fan-out, 4 in flight: µs (user)",
            FAN_OUT_OF_4,
            BATCHING_FLOOR,
        )],
        Pattern::Unicast => vec![cost("unicast, 64 in flight: µs (user)", UNICAST, FLOOR)],
        Pattern::Rate => vec![Column {
            floor: Some(FLOOR),
            ..plain("20/s to all: p99, ms", P99)
        }],
        Pattern::Connect => vec![plain("connect: µs", CONNECT)],
        Pattern::Idle => vec![
            plain("idle connection: KiB", MEMORY),
            plain("idle connection: µs/s", IDLE),
        ],
    }
}

const fn cost(
    title: &'static str,
    [total, user]: [&'static str; 2],
    floor: &'static str,
) -> Column {
    Column {
        title,
        figure: total,
        part: Some(user),
        floor: Some(floor),
    }
}

const fn plain(title: &'static str, figure: &'static str) -> Column {
    Column {
        title,
        figure,
        part: None,
        floor: None,
    }
}

/// Returns the notes below the table.
pub(super) fn notes(plan: &Plan) -> String {
    let Plan {
        rounds,
        rounds_of_connections,
        clients,
        idle,
        ..
    } = plan;
    let ping = plan.ping.as_secs();
    format!(
        "Medians of {rounds} rounds, of connections {rounds_of_connections}. µs: CPU time of the \
         server's process per delivered event, per connection, or per idle connection and second \
         at a ping every 25 s (measured with one every {ping} s, on Bun's own server every \
         4 s); in parentheses the part outside the kernel. Events go to {clients} clients; {idle} \
         connections are idle.\n\
         METAIA keeps each event in its log and adds `_rt` (id, position, time) to each payload, \
         some 110 bytes. Servers of Socket.IO verify each client's token and put it into two \
         rooms. The floors and Bun's `publish` do neither, and the floors neither ping nor encode."
    )
}
