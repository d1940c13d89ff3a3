//! `cargo xtask upgrade`: nodes of an earlier version beside those of this one.

use std::path::PathBuf;

use crate::paths::target;
use crate::shell::{answers, cargo, cmd, run};
use crate::test::prepare;

/// The commit whose nodes must be able to run beside ours. Its full name, since a short one may
/// become ambiguous.
const COMMIT: &str = "79f6e034f7f693004ef86ff9a22d4389e9444640";

/// The end-to-end tests that start nodes of both versions.
const TESTS: [&str; 6] = [
    "upgrade::",
    "cluster::access::",
    "cluster::delivery::",
    "cluster::devices::",
    "cluster::moving::",
    "cluster::presence::",
];

/// Builds the earlier version, unless that was done before, and runs the tests with it.
pub(crate) fn run_tests() -> Result<(), String> {
    prepare()?;
    let server = old_server()?;
    let mut test = cargo();
    test.env("METAIA_OLD_SERVER", server);
    test.args(["test", "-p", "metaia-tests", "--all-features"]);
    run(test.args(["--test", "e2e", "--"]).args(TESTS))
}

/// Builds the server of the earlier version from the history, in a target folder of its own. It has
/// crash points, so that fixtures can be written with it.
fn old_server() -> Result<PathBuf, String> {
    let source = target().join("earlier").join(COMMIT);
    let own_target = source.join("target");
    let server = own_target.join("debug/metaia-server");
    if answers(&server, "--version") {
        return Ok(server);
    }
    let archive = source.with_extension("tar");
    run(cmd("mkdir").arg("-p").arg(&source))?;
    run(cmd("git")
        .args(["archive", COMMIT, "--output"])
        .arg(&archive))?;
    run(cmd("tar").arg("-xf").arg(&archive).arg("-C").arg(&source))?;
    let mut build = cargo();
    build
        .current_dir(&source)
        .env("CARGO_TARGET_DIR", &own_target);
    run(build.args([
        "build",
        "--locked",
        "-p",
        "metaia-server",
        "--features",
        "crash-points",
    ]))?;
    Ok(server)
}
