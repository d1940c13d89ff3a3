//! Where the programs under test and the tools are. `cargo xtask test` puts them there.

use std::path::{Path, PathBuf};

/// A program of this workspace, from the folder that this test was built into.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    built(Path::new(name), "cargo xtask test")
}

/// An example of this workspace.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    built(&Path::new("examples").join(name), "cargo xtask test")
}

/// The Python of the tests' own virtual environment.
#[must_use]
pub fn python() -> PathBuf {
    built(
        Path::new("../tools/python/bin/python"),
        "cargo xtask provision python",
    )
}

/// MongoDB's server: the system's, or the one under the target folder.
#[must_use]
pub fn mongod() -> PathBuf {
    let ours = Path::new("../tools/mongod/fiftyone/db/bin/mongod");
    installed("mongod").unwrap_or_else(|| built(ours, "cargo xtask provision mongod"))
}

/// The proxy, which on Debian is where only root looks.
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

/// The folder of the JavaScript tests, with the official client installed.
#[must_use]
pub fn js() -> PathBuf {
    let folder = here("js");
    let installed = folder.join("node_modules/socket.io-client").exists();
    assert!(
        installed,
        "the JavaScript client is not installed: run `cargo xtask provision node`"
    );
    folder
}

/// A file or folder of this package.
#[must_use]
pub fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A test executable is `target/debug/deps/e2e-…`: what it tests lies one folder up.
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
