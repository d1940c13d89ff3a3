//! The user's folders: where programs keep settings and what they remember (the XDG base directory
//! specification). Only the environment decides: without `HOME` and the variable of the
//! specification, there is no folder.

use std::env;
use std::path::PathBuf;

/// Returns the folder of `metaia` for settings: in `$XDG_CONFIG_HOME`, otherwise in
/// `$HOME/.config`.
pub(crate) fn config() -> Option<PathBuf> {
    own("XDG_CONFIG_HOME", ".config")
}

/// Returns the folder of `metaia` for what it remembers between two runs: in `$XDG_STATE_HOME`,
/// otherwise in `$HOME/.local/state`.
pub(crate) fn state() -> Option<PathBuf> {
    own("XDG_STATE_HOME", ".local/state")
}

pub(crate) fn home() -> Option<PathBuf> {
    absolute("HOME")
}

fn own(variable: &str, in_home: &str) -> Option<PathBuf> {
    let folder = absolute(variable).or_else(|| Some(home()?.join(in_home)));
    Some(folder?.join("metaia"))
}

/// Returns the path that a variable names. The specification says that a relative one is ignored.
fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(variable)?);
    path.is_absolute().then_some(path)
}
