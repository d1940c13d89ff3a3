//! `--where JQ`: a condition on events, on the command line.

use crate::exit::Failure;
use crate::expectation::{Condition, FilterValues, Received};
use crate::jq_option;

/// Parses the condition. What is wrong with it is said with the part that is wrong.
pub(crate) fn parse(text: &str) -> Result<Condition, Failure> {
    Condition::parse(text, &[]).map_err(|invalid| jq_option::explain("--where", text, invalid))
}

/// Returns whether the condition is true for an event.
///
/// # Errors
/// A usage failure if the condition gives anything but one boolean.
pub(crate) fn holds(condition: &Condition, event: &Received) -> Result<bool, Failure> {
    condition
        .holds(&event.json(), &FilterValues::new())
        .map_err(|reason| {
            let event = &event.event;
            let failure = Failure::usage(format!("--where cannot judge {event}: {reason}"));
            match reason.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })
}
