//! The file.

use std::{fs, io, path::Path};

/// Returns the text of a file. One that does not exist is empty, and so is a folder: Python's
/// virtual environments are often called `.env`. Bytes that are not UTF-8 become U+FFFD.
///
/// # Errors
/// Returns the error of the system if there is a file that cannot be read.
pub fn read_text(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if is_no_file(error.kind()) => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn is_no_file(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::IsADirectory)
}
