//! The file.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

/// The largest file, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Returns the text of a file. One that does not exist is empty, and so are a folder (Python's
/// virtual environments are often called `.env`) and `/dev/null`. Bytes that are not UTF-8 become
/// U+FFFD.
///
/// # Errors
/// Returns an error if it is another device or a pipe, which may have no end, if it is larger than
/// 1 MiB, or if the system cannot read it.
pub fn read_text(path: &Path) -> io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

fn read(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() || is_null_device(&metadata) {
        return Ok(String::new());
    }
    // Asked before it is opened: to open a pipe waits for its writer.
    if !metadata.is_file() {
        return Err(io::Error::other("it is a pipe or a device, not a file"));
    }
    let mut bytes = Vec::new();
    let length = File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if length as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns whether it is `/dev/null`, which is mounted in the place of a file to have none.
fn is_null_device(metadata: &Metadata) -> bool {
    let is_null = |null: Metadata| null.rdev() == metadata.rdev();
    metadata.file_type().is_char_device() && fs::metadata("/dev/null").is_ok_and(is_null)
}
