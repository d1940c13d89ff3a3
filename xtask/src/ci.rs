//! `cargo xtask ci`: what must pass before a change lands.

use crate::paths::root;
use crate::shell::{answers, cargo, read, run};
use crate::{fuzz, package, test, tidy, tool_size, upgrade};

/// The extent of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The checks of the Rust toolchain alone.
    Toolchain,
    /// Also what must be compiled first: tools, of which one needs the advisory database and so a
    /// network, the packaged library, the tool as it is installed, and an earlier version of the
    /// server, for the tests of upgrades. And the long forms of the fuzzing and of the planted
    /// faults.
    Full,
}

pub(crate) fn run_all(extent: Extent) -> Result<(), String> {
    tidy::run()?;
    run(cargo().args(["fmt", "--all", "--check"]))?;
    lint()?;
    each_feature_alone()?;
    docs()?;
    if extent == Extent::Full {
        compiled_tools()?;
        package::run_doctests()?;
        tool_size::check()?;
    }
    test::run(&[])?;
    if extent == Extent::Full {
        fuzz::run_targets()?;
        test::run_with_planted_faults()?;
        upgrade::run_tests()?;
    }
    Ok(())
}

fn lint() -> Result<(), String> {
    let deny = ["--", "-D", "warnings"];
    run(cargo()
        .args(["clippy", "--workspace", "--all-targets"])
        .args(deny))?;
    run(cargo()
        .args(["clippy", "--workspace", "--all-targets", "--all-features"])
        .args(deny))
}

fn each_feature_alone() -> Result<(), String> {
    let check = [
        "check",
        "--quiet",
        "-p",
        "metaia-realtime",
        "--no-default-features",
    ];
    run(cargo().args(check))?;
    let manifest = read(&root().join("metaia-realtime/Cargo.toml"))?;
    features(&manifest)
        .try_for_each(|feature| run(cargo().args(check).args(["--features", feature])))
}

/// The names in the manifest's `[features]` table, `default` left out: a new feature is checked
/// without a second list to keep.
fn features(manifest: &str) -> impl Iterator<Item = &str> {
    let table = manifest
        .lines()
        .skip_while(|line| *line != "[features]")
        .skip(1);
    let lines = table.take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .filter(|name| *name != "default")
}

fn docs() -> Result<(), String> {
    let doc = ["doc", "--workspace", "--all-features", "--no-deps"];
    run(cargo().env("RUSTDOCFLAGS", "-D warnings").args(doc))
}

fn compiled_tools() -> Result<(), String> {
    for tool in ["cargo-deny", "cargo-machete"] {
        if !answers(tool, "--version") {
            run(cargo().args(["install", "--locked", tool]))?;
        }
    }
    check_dependencies(|arguments| run(cargo().args(arguments)))?;
    run(cargo().arg("machete"))
}

/// Checks the dependencies: their licences, floors and sources, and the advisories on them.
///
/// Without a network the advisory database cannot be fetched. A line says then that the advisories
/// were not checked, because that is no fault of the code.
fn check_dependencies(
    mut run_cargo: impl FnMut(&[&str]) -> Result<(), String>,
) -> Result<(), String> {
    let check = ["deny", "--all-features", "check"];
    run_cargo(&[&check[..], &["bans", "licenses", "sources"]].concat())?;
    if run_cargo(&["deny", "fetch", "db"]).is_err() {
        eprintln!("The advisory database cannot be reached: no advisory was checked.");
        return Ok(());
    }
    run_cargo(&[&check[..], &["--disable-fetch", "advisories"]].concat())
}

#[cfg(test)]
mod tests {
    use super::check_dependencies;

    /// Checks the dependencies with a cargo that fails for commands with this word. Returns whether
    /// the check passes, and the commands.
    fn checked(failing: &str) -> (bool, Vec<String>) {
        let mut commands = Vec::new();
        let passes = check_dependencies(|arguments| {
            commands.push(arguments.join(" "));
            let fails = arguments.contains(&failing);
            if fails {
                Err("failed".to_owned())
            } else {
                Ok(())
            }
        });
        (passes.is_ok(), commands)
    }

    #[test]
    fn advisories_are_checked_once_their_database_is_there() {
        let (passes, commands) = checked("nothing");
        assert!(passes);
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        assert_eq!(
            commands,
            [
                "deny --all-features check bans licenses sources",
                "deny fetch db",
                "deny --all-features check --disable-fetch advisories",
            ]
        );
        assert!(!checked("advisories").0 && !checked("bans").0);
    }

    #[test]
    fn without_a_network_everything_else_is_checked() {
        let (passes, commands) = checked("db");
        assert!(passes && commands.len() == 2, "{commands:?}");
    }

    #[test]
    fn features_are_read_from_the_manifest() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = [\"a\"]\n## About b.\n\
            a = []\nb = [\"dep:c\"]\n\n[dependencies]\nd = \"1\"\n";
        assert_eq!(super::features(manifest).collect::<Vec<_>>(), ["a", "b"]);
    }
}
