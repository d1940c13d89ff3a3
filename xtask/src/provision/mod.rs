//! The tools that the tests and the benchmarks need beyond the Rust toolchain, one file per tool.
//!
//! Every tool is *found* where it is there already; else it is installed where that is safe without
//! asking (as root on Debian, or into our own target folder); else the exact line to run is printed
//! and the command fails. No test is skipped because a tool is missing.

mod apt;
mod chromium;
mod mongod;
mod nginx;
mod node;
mod python;
mod redis;
mod shells;
mod stamp;

/// A tool's name, and what makes sure that it is there.
type Tool = (&'static str, fn() -> Result<(), String>);

const TOOLS: [Tool; 7] = [
    ("node", node::provide),
    ("python", python::provide),
    ("redis", redis::provide),
    ("mongod", mongod::provide),
    ("nginx", nginx::provide),
    ("chromium", chromium::provide),
    ("shells", shells::provide),
];

/// The tools that only the benchmark needs.
const PEERS: Tool = ("peers", node::provide_peers);

/// Makes sure that every tool is there.
pub(crate) fn everything() -> Result<(), String> {
    TOOLS.iter().try_for_each(provide)
}

/// Makes sure that the named tool is there.
pub(crate) fn named(name: &str) -> Result<(), String> {
    let all = || TOOLS.iter().chain([&PEERS]);
    let known = || all().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let tool = all().find(|(tool, _)| *tool == name);
    tool.ok_or_else(|| format!("no tool `{name}`; known: {}", known()))
        .and_then(provide)
}

fn provide((name, provide): &Tool) -> Result<(), String> {
    provide().map_err(|why| format!("{name} is needed: {why}"))
}
