//! Tests of the checker: correct histories pass, and each planted defect is reported as the
//! invariant that it breaks.

mod defects;
mod edges;
mod simulator;
mod story;

use defects::{DEFECTS, Defect};

use super::{Invariant, check};
use crate::fixtures::seeded_rng::SeededRng;

/// The number of simulated histories. Their seeds are the same in every run.
const HISTORIES: u64 = 500;

#[test]
fn correct_histories_pass() {
    for seed in 0..HISTORIES {
        let history = simulator::history(seed);
        let violations = check(&history);
        assert!(
            violations.is_empty(),
            "seed {seed}: {violations:#?}\nof {:#?}",
            history.facts
        );
    }
}

#[test]
fn correct_histories_have_something_in_them() {
    let facts: usize = (0..HISTORIES)
        .map(|seed| simulator::history(seed).facts.len())
        .sum();
    assert!(facts > 100 * HISTORIES as usize, "{facts} facts");
}

#[test]
fn each_defect_is_caught_wherever_it_is_planted() {
    for defect in &DEFECTS {
        let planted = (0..HISTORIES).filter(|seed| caught(defect, *seed)).count();
        assert!(
            planted >= 30,
            "{} was planted in {planted} histories only",
            defect.name
        );
    }
}

/// Plants the defect into the history of this seed and checks that it is caught. Returns false if
/// the history has no place for the defect.
fn caught(defect: &Defect, seed: u64) -> bool {
    let mut history = simulator::history(seed);
    let Some(()) = (defect.plant)(&mut history, &mut SeededRng::new(!seed)) else {
        return false;
    };
    let violations = check(&history);
    let right = violations
        .iter()
        .any(|violation| violation.invariant == defect.breaks);
    assert!(
        right,
        "{} in the history of seed {seed} was not caught: {violations:#?}",
        defect.name
    );
    let others: Vec<_> = violations.iter().map(|found| found.invariant).collect();
    // An event that never arrives is also late.
    let also = [defect.also, &[Invariant::DeliveredInTime]].concat();
    let blamed = |invariant| invariant == &defect.breaks || also.contains(invariant);
    assert!(
        others.iter().all(blamed),
        "{}, seed {seed}: {violations:#?}",
        defect.name
    );
    true
}
