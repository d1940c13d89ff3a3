//! Python and the packages of `tests/python/requirements.txt`, in a virtual environment under the
//! target folder.

use super::{apt, stamp};
use crate::paths::{root, tools};
use crate::shell::{answers, cmd, read, run};

pub(crate) fn provide() -> Result<(), String> {
    let requirements = root().join("tests/python/requirements.txt");
    let wanted = read(&requirements)?;
    let environment = tools().join("python");
    let python = environment.join("bin/python");
    let installed = environment.join("installed-requirements.txt");
    if stamp::is_current(&installed, &wanted) && answers(&python, "--version") {
        return Ok(());
    }
    let created = create(&environment);
    if created.is_err() {
        apt::install(&["python3", "python3-venv"])?;
        create(&environment)?;
    }
    run(cmd(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(&requirements))?;
    stamp::write(&installed, &wanted)
}

fn create(environment: &std::path::Path) -> Result<(), String> {
    run(cmd("python3")
        .args(["-m", "venv", "--clear"])
        .arg(environment))
}
