//! The only place that prints. A closed standard stream is no error: the server goes on without it.

use std::{
    io::{self, Write as _},
    thread,
};

/// Prints `text` and a line break to standard output.
pub(crate) fn print(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
}

/// Prints `text` and a line break to standard output, in a thread of its own: its reader may stand
/// still.
pub(crate) fn print_aside(text: String) {
    // Without a thread for it, the text is left out: the server can be used all the same.
    let _ = thread::Builder::new().spawn(move || print(&text));
}

/// Prints `text` and a line break to standard error.
pub(crate) fn print_error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}
