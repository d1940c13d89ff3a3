//! A server that leaks, panics, or ends with an error.

use super::super::super::{Fact, History, Resource};
use super::scene::append;
use crate::fixtures::seeded_rng::SeededRng;

pub(super) fn leak(history: &mut History, _: &mut SeededRng) -> Option<()> {
    append(
        history,
        Fact::Sampled {
            resource: Resource::Descriptors,
            amount: 21,
        },
    )
}

pub(super) fn exit_one(history: &mut History, _: &mut SeededRng) -> Option<()> {
    let (_, end) = history.facts.last_mut()?;
    *end = Fact::Ended { code: Some(1) };
    Some(())
}

pub(super) fn panic(history: &mut History, _: &mut SeededRng) -> Option<()> {
    append(
        history,
        Fact::Printed("thread 'main' panicked at src/main.rs:1:1:".to_owned()),
    )
}
