//! A one-line summary of a history. A run in which nothing happened proves nothing.

use super::{Fact, History};

/// Returns the number of facts of each kind, as one line.
pub(super) fn tally(history: &History) -> String {
    let count =
        |fits: fn(&Fact) -> bool| history.facts.iter().filter(|(_, fact)| fits(fact)).count();
    let kills = count(|fact| *fact == Fact::Killed);
    let faults = count(|fact| matches!(fact, Fact::Slowed { .. } | Fact::Stopped { .. }));
    let acknowledged = count(|fact| matches!(fact, Fact::Acknowledged { .. }));
    let unknown = count(|fact| matches!(fact, Fact::Unknown { .. }));
    let received = count(|fact| matches!(fact, Fact::Received { .. }));
    let recovered = count(|fact| {
        matches!(
            fact,
            Fact::Ready {
                recovered: true,
                ..
            }
        )
    });
    let resets = count(|fact| matches!(fact, Fact::Reset { .. }));
    let time = history
        .facts
        .last()
        .map_or_else(Default::default, |(when, _)| *when);
    format!(
        "{kills} kills and {faults} other faults in {time:.1?}, \
         {acknowledged} writes acknowledged, {unknown} unknown, {received} deliveries, \
         {recovered} recoveries, {resets} resets"
    )
}
