//! Checks that keys act once, and that everything acknowledged is found in the store.

use std::collections::BTreeMap;

use super::index::Index;
use super::{Fact, History, Invariant, Violation};

/// Checks [`Invariant::OncePerKey`] for every response and count, and [`Invariant::NoLoss`] and
/// [`Invariant::DurableBeforeAnswer`] for every audit.
pub(super) fn check(history: &History, index: &Index<'_>) -> Vec<Violation> {
    let mut made: BTreeMap<&str, &str> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (_, fact) in &history.facts {
        match fact {
            Fact::Acknowledged {
                write, made: now, ..
            } => {
                let first = *made.entry(write).or_insert(now);
                if first != now {
                    wrong.push((
                        Invariant::OncePerKey,
                        format!("{write} was answered {first} and {now}"),
                    ));
                }
            }
            Fact::Counted { write, made } if *made > 1 => {
                wrong.push((
                    Invariant::OncePerKey,
                    format!("{write} was done {made} times"),
                ));
            }
            Fact::Audited {
                write,
                found: false,
            } => wrong.push(absent(write, index)),
            _ => (),
        }
    }
    wrong
        .into_iter()
        .map(|(invariant, what)| Violation::new(invariant, what))
        .collect()
}

fn absent(write: &str, index: &Index<'_>) -> (Invariant, String) {
    let acknowledged = index.writes.get(write).and_then(|write| write.acknowledged);
    let invariant = acknowledged.map_or(Invariant::NoLoss, |when| index.loss_after(when));
    (
        invariant,
        format!("{write} was acknowledged, and is not in the store"),
    )
}
