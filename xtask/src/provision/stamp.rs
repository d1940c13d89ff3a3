//! Remembers what an installation was made from, so that it is repeated when, and only when, that
//! changes.

use std::path::Path;

use crate::shell::read;

/// Returns true if `stamp` says that the installation was made from exactly this text.
pub(crate) fn is_current(stamp: &Path, made_from: &str) -> bool {
    read(stamp).is_ok_and(|text| text == made_from)
}

/// Notes what the installation was made from. Written last: an interrupted installation is
/// repeated.
pub(crate) fn write(stamp: &Path, made_from: &str) -> Result<(), String> {
    std::fs::write(stamp, made_from).map_err(|error| format!("{}: {error}", stamp.display()))
}
