//! `cargo xtask bench`: what the library and the server cost, measured. What each part measures,
//! and how to read it, is in `docs/benchmarks.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::{root, target};
use crate::provision;
use crate::shell::{cargo, cmd, first_line, run};

/// The parts, in the order in which `all` runs them.
const PARTS: [(&str, Part); 8] = [
    ("dispatch", dispatch),
    ("log", log),
    ("slow", slow),
    ("access", access),
    ("attack", attack),
    ("cluster", cluster),
    ("connections", connections),
    ("peers", peers),
];

type Part = fn(&[&str]) -> Result<(), String>;

/// The profile of the programs that are measured: the one in which they are handed out.
const PROFILE: &str = "dist";

/// In the log that the server is started with.
const ENTRIES: &str = "1000000";

/// Runs a part, or all of them; `args` narrow it down.
pub(crate) fn run_part(name: &str, args: &[&str]) -> Result<(), String> {
    let mut wanted = PARTS
        .iter()
        .filter(|(part, _)| name == "all" || name == *part)
        .peekable();
    if wanted.peek().is_none() {
        let known = PARTS.map(|(part, _)| part).join(", ");
        return Err(format!("{name} is not one of {known}, all"));
    }
    wanted.try_for_each(|(_, part)| part(args))
}

/// `args` go to criterion.
fn dispatch(args: &[&str]) -> Result<(), String> {
    run(library("dispatch").args(args))
}

/// `args` are one of `writes`, `start`, `storm`, or none for all.
fn log(args: &[&str]) -> Result<(), String> {
    let folder = scratch()?;
    let store = store(&folder)?;
    if args.is_empty() || args.contains(&"writes") {
        appends(&folder)?;
    }
    run(server(&folder)?
        .env("METAIA_BENCH_STORE", store)
        .arg("log")
        .args(args))
}

fn slow(args: &[&str]) -> Result<(), String> {
    run(server(&scratch()?)?.arg("slow").args(args))
}

fn access(args: &[&str]) -> Result<(), String> {
    run(server(&scratch()?)?.arg("access").args(args))
}

/// `args` are names of attacks, or none for all.
fn attack(args: &[&str]) -> Result<(), String> {
    run(server(&scratch()?)?.arg("attack").args(args))
}

/// `args` are one of `writes`, `latency`, `nodes`, `idle`, or none for all.
fn cluster(args: &[&str]) -> Result<(), String> {
    ["mongod", "redis"]
        .into_iter()
        .try_for_each(provision::named)?;
    run(server(&scratch()?)?.arg("cluster").args(args))
}

/// `args` are one of `storm`, `idle`, or none for both, and `--connections NUMBER`.
fn connections(args: &[&str]) -> Result<(), String> {
    ["mongod", "redis"]
        .into_iter()
        .try_for_each(provision::named)?;
    run(server(&scratch()?)?.arg("connections").args(args))
}

/// `args` are `--quick`, `--only SERVER,…` and `--pattern PATTERN,…`.
fn peers(args: &[&str]) -> Result<(), String> {
    provision::named("peers")?;
    build("metaia-peers")?;
    let commit = first_line(cmd("git").args(["describe", "--always", "--dirty"]));
    run(clients(&scratch()?)
        .env("METAIA_BENCH_COMMIT", commit.unwrap_or_default())
        .arg("peers")
        .args(args))
}

/// A bench of the library, as a command.
fn library(bench: &str) -> Command {
    let mut command = cargo();
    // One set of features, so that nothing is compiled twice.
    command.args([
        "bench",
        "--profile",
        PROFILE,
        "-p",
        "metaia-realtime",
        "--features",
        "__bench,sqlite",
        "--bench",
        bench,
        "--",
    ]);
    command
}

/// The bench of the built server, with its temporary folders on the disk of the target folder.
fn server(folder: &Path) -> Result<Command, String> {
    build("metaia-server")?;
    Ok(clients(folder))
}

/// Builds a program that is measured.
fn build(package: &str) -> Result<(), String> {
    run(cargo().args(["build", "--profile", PROFILE, "-p", package]))
}

/// The program that drives the servers, with its temporary folders in `folder`.
fn clients(folder: &Path) -> Command {
    let mut command = cargo();
    command.env("TMPDIR", folder).args([
        "bench",
        "--profile",
        PROFILE,
        "-p",
        "metaia-tests",
        "--bench",
        "server",
        "--",
    ]);
    command
}

fn scratch() -> Result<PathBuf, String> {
    let folder = target().join("bench");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// A database with many entries, made once, and again when the log's source has changed since. A
/// half made one is not taken for it.
fn store(folder: &Path) -> Result<PathBuf, String> {
    let store = folder.join(format!("store-{ENTRIES}"));
    let half = folder.join("store-half");
    if !is_newer(
        &store.join("metaia.db"),
        &root().join("metaia-realtime/src/log/sqlite"),
    ) {
        let failed = |error| format!("{}: {error}", half.display());
        for old in [&half, &store].into_iter().filter(|old| old.exists()) {
            fs::remove_dir_all(old).map_err(failed)?;
        }
        run(library("log").arg("fill").arg(&half).arg(ENTRIES))?;
        fs::rename(&half, &store).map_err(failed)?;
    }
    Ok(store)
}

/// Returns true if the file is there, and newer than all in the folder.
fn is_newer(file: &Path, folder: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let Some(made) = changed(file) else {
        return false;
    };
    let mut sources = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    sources.all(|source| changed(&source.path()).is_some_and(|changed| changed < made))
}

/// Measures what the log does without a server.
fn appends(folder: &Path) -> Result<(), String> {
    let folder = folder.join("append");
    let failed = |error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    let measured = run(library("log").arg("append").arg(&folder));
    fs::remove_dir_all(&folder).map_err(failed)?;
    measured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_made_again_when_the_source_is_newer() {
        let here = root().join("xtask/src");
        assert!(!is_newer(&here.join("no such file"), &here));
        assert!(!is_newer(&here.join("main.rs"), &here));
        assert!(is_newer(&std::env::current_exe().unwrap(), &here));
    }

    #[test]
    fn an_unknown_part_is_named() {
        assert!(
            run_part("speed", &[])
                .unwrap_err()
                .starts_with("speed is not one of")
        );
    }
}
