//! Node.js and the npm packages of `tests/js`, exactly as its lock file names them.

use super::{apt, stamp};
use crate::paths::root;
use crate::shell::{answers, cmd, read, run};

pub(crate) fn provide() -> Result<(), String> {
    if !(answers("node", "--version") && answers("npm", "--version")) {
        apt::install(&["nodejs", "npm"])?;
    }
    let folder = root().join("tests/js");
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
