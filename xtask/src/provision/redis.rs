//! `redis-server`, from the system's packages.

use super::apt;
use crate::shell::answers;

pub(crate) fn provide() -> Result<(), String> {
    if answers("redis-server", "--version") {
        return Ok(());
    }
    apt::install(&["redis-server"])
}
