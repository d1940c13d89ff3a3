//! The paths of the programs under test and of the tools. `cargo xtask test` builds and installs
//! them.

use std::path::{Path, PathBuf};

/// Returns the path of a program of this workspace, in the folder that this test was built into.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    built(Path::new(name), "cargo xtask test")
}

/// Returns the path of an example of this workspace.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    built(&Path::new("examples").join(name), "cargo xtask test")
}

/// Returns the path of Python in the tests' own virtual environment.
#[must_use]
pub fn python() -> PathBuf {
    built(
        Path::new("../tools/python/bin/python"),
        "cargo xtask provision python",
    )
}

/// Returns the path of `mongod`: the one of the system, or the one under the target folder.
#[must_use]
pub fn mongod() -> PathBuf {
    let ours = Path::new("../tools/mongod/fiftyone/db/bin/mongod");
    installed("mongod").unwrap_or_else(|| built(ours, "cargo xtask provision mongod"))
}

/// Returns the path of `nginx`. Debian installs it where only root's `PATH` finds it.
#[must_use]
pub fn nginx() -> PathBuf {
    installed("nginx").unwrap_or_else(|| PathBuf::from("/usr/sbin/nginx"))
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.exists())
}

/// Returns the folder of the JavaScript tests, in which the official client is installed.
#[must_use]
pub fn js() -> PathBuf {
    let folder = package_path("js");
    for package in ["dotenv", "socket.io-client"] {
        assert!(
            folder.join("node_modules").join(package).exists(),
            "{package} is not installed: run `cargo xtask provision node`"
        );
    }
    folder
}

/// Returns the path of a file or folder of this package.
#[must_use]
pub fn package_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Returns a path relative to the build's profile folder. A test executable is
/// `target/debug/deps/e2e-…`: the programs under test are one folder up.
fn built(name: &Path, remedy: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("target/debug");
    let path = profile.join(name);
    assert!(
        path.exists(),
        "{} is not there: run `{remedy}`",
        path.display()
    );
    path
}
