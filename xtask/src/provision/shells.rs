//! `zsh`, `fish` and `man`, from the system's packages: what reads the completions and the manual
//! pages of `metaia`. `bash` is everywhere.

use super::apt;
use crate::shell::answers;

pub(crate) fn provide() -> Result<(), String> {
    let programs = [("zsh", "zsh"), ("fish", "fish"), ("man", "man-db")];
    let missing: Vec<&str> = programs
        .into_iter()
        .filter(|(program, _)| !answers(program, "--version"))
        .map(|(_, package)| package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt::install(&missing)
}
