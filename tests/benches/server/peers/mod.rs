//! `bench peers`: the library beside other servers and two floors, each a process of its own on a
//! core of its own, driven in turn by the same clients on another core.
//!
//! The primary figure is CPU time of the server's process per delivered event: it depends less on
//! other programs than time on the clock does, and it is what a server costs.

mod connections;
mod contender;
mod cores;
mod deliveries;
mod noise;
mod pattern;
mod plan;
mod row;
mod run;
mod server;
mod table;

use std::process::ExitCode;

use metaia_tests::figures::Choice;

use pattern::Pattern;
use run::Run;

/// Measures the servers and patterns that the words choose, and prints the table.
pub(crate) async fn run(words: &[&str]) -> ExitCode {
    let servers = contender::names();
    let patterns = Pattern::ALL.map(Pattern::name);
    let choice = match Choice::parse(words, &servers, &patterns) {
        Ok(choice) => choice,
        Err(mistake) => {
            eprintln!(
                "{mistake}\nusage: peers [--quick] [--only SERVER,…] [--pattern PATTERN,…]\n\
                 servers: {}\npatterns: {}",
                servers.join(", "),
                patterns.join(", ")
            );
            return ExitCode::from(2);
        }
    };
    let mut run = Run::of(&choice).await;
    run.measure().await;
    run.print();
    ExitCode::SUCCESS
}
