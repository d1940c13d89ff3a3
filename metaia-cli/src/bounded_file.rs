//! Reads a file up to a limit of bytes: a device or a pipe may have no end, and a name may lead to
//! one.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// The most bytes of a file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteLimit {
    kib: u64,
}

impl ByteLimit {
    /// The limit of a secret, a token or a certificate of one server.
    pub(crate) const SECRET: Self = Self { kib: 64 };
    /// The limit of a file that people write.
    pub(crate) const WRITTEN: Self = Self { kib: 1024 };
    /// The limit of a payload, and of the certificates of many authorities.
    pub(crate) const LARGE: Self = Self { kib: 8 * 1024 };

    fn bytes(self) -> u64 {
        self.kib * 1024
    }

    /// Returns the limit for people, such as `64 KiB`.
    pub(crate) fn shown(self) -> String {
        if self.kib.is_multiple_of(1024) {
            format!("{} MiB", self.kib / 1024)
        } else {
            format!("{} KiB", self.kib)
        }
    }
}

/// The reason for which a file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadFault {
    #[error("{0}")]
    System(io::Error),
    /// It is a folder, a device or a pipe.
    #[error("it is not a file")]
    NotAFile,
    #[error("it is larger than {}", .0.shown())]
    TooLarge(ByteLimit),
    #[error("it is not UTF-8")]
    NotText,
}

impl ReadFault {
    /// Returns whether there is no such file.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::System(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl From<io::Error> for ReadFault {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Reads the text of a file. A pipe or a device is refused before it is opened: to open a pipe
/// waits for its writer.
pub(crate) fn text_of_file(path: &Path, limit: ByteLimit) -> Result<String, ReadFault> {
    text(bytes_of_file(path, limit)?)
}

/// Reads the text of a file, or of a pipe as of `<(…)`.
pub(crate) fn text_of_file_or_pipe(path: &Path, limit: ByteLimit) -> Result<String, ReadFault> {
    text(bytes(path, limit)?)
}

/// Reads the bytes of a file. A pipe or a device is refused.
pub(crate) fn bytes_of_file(path: &Path, limit: ByteLimit) -> Result<Vec<u8>, ReadFault> {
    if !fs::metadata(path)?.is_file() {
        return Err(ReadFault::NotAFile);
    }
    bytes(path, limit)
}

fn bytes(path: &Path, limit: ByteLimit) -> Result<Vec<u8>, ReadFault> {
    let mut bytes = Vec::new();
    let mut within = File::open(path)?.take(limit.bytes() + 1);
    let length = within.read_to_end(&mut bytes)?;
    if length as u64 > limit.bytes() {
        return Err(ReadFault::TooLarge(limit));
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, ReadFault> {
    String::from_utf8(bytes).map_err(|_| ReadFault::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Reader = fn(&Path, ByteLimit) -> Result<String, ReadFault>;

    #[track_caller]
    fn check(reader: Reader, path: &str, limit: ByteLimit, expected: &str) {
        let fault = reader(Path::new(path), limit).unwrap_err();
        assert_eq!(fault.to_string(), expected, "{path}");
    }

    #[test]
    fn a_file_without_an_end_is_read_up_to_the_limit() {
        for (limit, expected) in [
            (ByteLimit::SECRET, "it is larger than 64 KiB"),
            (ByteLimit::LARGE, "it is larger than 8 MiB"),
        ] {
            check(text_of_file_or_pipe, "/dev/zero", limit, expected);
        }
    }

    #[test]
    fn a_file_has_to_be_one() {
        for path in ["/dev/zero", "/"] {
            check(text_of_file, path, ByteLimit::SECRET, "it is not a file");
        }
    }

    #[test]
    fn a_file_of_the_limit_is_read_and_a_larger_one_is_not() {
        let path = std::env::temp_dir().join(format!("metaia-bounded-{}", std::process::id()));
        let most = usize::try_from(ByteLimit::SECRET.bytes()).unwrap();
        for (bytes, is_read) in [(0, true), (most, true), (most + 1, false)] {
            fs::write(&path, vec![b'x'; bytes]).unwrap();
            for reader in [text_of_file, text_of_file_or_pipe] as [Reader; 2] {
                let read = reader(&path, ByteLimit::SECRET);
                assert_eq!(read.is_ok(), is_read, "{bytes}: {read:?}");
            }
        }
        fs::write(&path, [0xff]).unwrap();
        let shown = path.to_str().unwrap();
        check(text_of_file, shown, ByteLimit::SECRET, "it is not UTF-8");
        fs::remove_file(&path).unwrap();
        let missing = text_of_file(&path, ByteLimit::SECRET).unwrap_err();
        assert!(missing.is_absence(), "{missing}");
    }
}
