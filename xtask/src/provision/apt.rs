//! Packages of the system: installed as root on Debian and its descendants, asked for elsewhere.

use std::path::Path;

use crate::shell::{answers, cmd, first_line, run};

/// Installs Debian packages, or says which line does it.
pub(crate) fn install(packages: &[&str]) -> Result<(), String> {
    let line = format!(
        "apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    if !may_install() {
        return Err(format!(
            "not found; on Debian or Ubuntu run\n    sudo {line}"
        ));
    }
    let mut apt = cmd("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    run(apt.args(["update", "-qq"]))?;
    let mut apt = cmd("apt-get");
    // A package that starts a service must not start one here: tests start their own, on ports of
    // their own.
    apt.env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    run(apt
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages))
}

fn may_install() -> bool {
    let root = first_line(cmd("id").arg("-u")).is_ok_and(|id| id == "0");
    root && Path::new("/etc/debian_version").exists() && answers("apt-get", "--version")
}
