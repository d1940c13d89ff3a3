//! `chromium`, from the system's packages: a real browser for pages of other origins.

use super::apt;
use crate::shell::answers;

pub(crate) fn provide() -> Result<(), String> {
    if answers("chromium", "--version") {
        return Ok(());
    }
    apt::install(&["chromium"])
}
