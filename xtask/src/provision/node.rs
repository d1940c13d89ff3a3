//! Node.js and npm packages, exactly as a lock file names them.

use super::{apt, stamp};
use crate::paths::root;
use crate::shell::{answers, cmd, read, run};

/// Provides the packages of the tests.
pub(crate) fn provide() -> Result<(), String> {
    packages("tests/js")
}

/// Provides the servers that the benchmark compares, and Bun.
pub(crate) fn provide_peers() -> Result<(), String> {
    packages("tests/peers/js")
}

fn packages(folder: &str) -> Result<(), String> {
    if !(answers("node", "--version") && answers("npm", "--version")) {
        apt::install(&["nodejs", "npm"])?;
    }
    let folder = root().join(folder);
    let lock = read(&folder.join("package-lock.json"))?;
    let installed = folder.join("node_modules/.installed-lock.json");
    if stamp::is_current(&installed, &lock) {
        return Ok(());
    }
    run(cmd("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&folder))?;
    stamp::write(&installed, &lock)
}
