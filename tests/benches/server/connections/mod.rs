//! `bench connections`: very many clients of the server at once: they all come at the same time, or
//! stay and do nothing, receive one event, and leave.
//!
//! One process may open only so many files, so the clients are in several processes ([`program`]),
//! and for very many of them the server is a cluster.

mod choice;
mod clients;
mod files;
mod idle;
mod program;
mod storm;

use crate::machine::Machine;
use crate::report::Report;
use choice::{Choice, Part};

pub(crate) use program::{NAME as CLIENTS, run as run_clients};

/// Measures what the words choose. The error is what is wrong with them.
pub(crate) async fn run(
    words: &[&str],
    machine: &mut Machine,
    report: &mut Report,
) -> Result<(), String> {
    let choice = Choice::parse(words)?;
    if choice.has(Part::Storm) {
        storm::run(machine, report).await;
    }
    if choice.has(Part::Idle) {
        idle::run(choice.connections, machine, report).await;
    }
    Ok(())
}
