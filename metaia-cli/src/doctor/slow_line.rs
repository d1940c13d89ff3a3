//! Lines that are too slow for the time of a step, which nothing between is to blame for.

use std::time::Duration;

use super::facts::{Facts, Handshakes};
use crate::diagnosis::{Diagnosis, Fault, slow_line};

/// The number of answers for which a step needs time: that of the upgrade, that which opens the
/// session, that of the CONNECT.
const ANSWERS: u32 = 3;

/// Returns the diagnosis of a step without an answer, if a single answer of the same server takes a
/// large part of the step's time.
pub(super) fn too_slow(facts: &Facts, fault: &Fault) -> Option<Diagnosis> {
    let Fault::NoAnswer(limit) = fault else {
        return None;
    };
    let answer = fastest_answer(facts.handshakes.as_ref()?)?;
    (answer * ANSWERS > *limit).then(|| slow_line(*limit, answer))
}

fn fastest_answer(handshakes: &Handshakes) -> Option<Duration> {
    let found = [
        &handshakes.livez,
        &handshakes.readyz,
        &handshakes.polled.opened,
    ];
    let answered = found.into_iter().filter(|found| found.value.is_ok());
    answered.map(|found| found.took).min()
}
