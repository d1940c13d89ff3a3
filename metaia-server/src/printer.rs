//! The only place that prints. Who reads may have gone: that is no reason to stop.

use std::io::{self, Write as _};

/// What was asked for, or announced.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
}

/// What went wrong.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}
