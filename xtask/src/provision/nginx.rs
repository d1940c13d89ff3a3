//! `nginx`, from the system's packages: what stands before several nodes.

use super::apt;
use crate::shell::answers;

pub(crate) fn provide() -> Result<(), String> {
    // On Debian it is where only root looks.
    if answers("nginx", "-v") || answers("/usr/sbin/nginx", "-v") {
        return Ok(());
    }
    apt::install(&["nginx-light"])
}
