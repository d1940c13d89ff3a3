//! The file of the history: private to its user, appended by several processes, and cut to the
//! newest lines when one of them begins.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kept::MOST_LINES;
use crate::whole_file;

/// The most bytes at the end of the file that are read: more than the lines of `connect` need.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// The number of attempts to lock the file, and the time between two. A process that was stopped
/// may hold the lock for ever.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// A file of lines, opened for each of them: another process may replace it.
#[derive(Debug)]
pub(super) struct HistoryFile {
    path: PathBuf,
}

impl HistoryFile {
    /// Opens the file, or creates it with its folders. Returns also its newest lines.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read and written, or is no regular file.
    pub(super) fn open(path: PathBuf) -> io::Result<(Self, String)> {
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let (mut file, is_locked) = locked(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        let text = read_end(&mut file)?;
        let newest = newest_lines(&text);
        // Without the lock, another process may be appending.
        if newest.len() < text.len() && is_locked {
            whole_file::replace(&path, newest.as_bytes())?;
        }
        let newest = newest.to_owned();
        Ok((Self { path }, newest))
    }

    /// Appends a line.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub(super) fn append(&self, line: &str) -> io::Result<()> {
        // Also without the lock an append is whole, unless the file is replaced at this moment.
        let (mut file, _) = locked(&self.path)?;
        file.write_all(format!("{line}\n").as_bytes())
    }
}

/// Opens the file, and locks it until it is closed. Returns false beside it if another process does
/// not release the lock.
fn locked(path: &Path) -> io::Result<(File, bool)> {
    for _ in 0..LOCK_ATTEMPTS {
        let file = opened(path)?;
        match file.try_lock() {
            // A process that had the lock may have replaced the file.
            Ok(()) if is_at(path, &file) => return Ok((file, true)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            // A file system without locks.
            Err(TryLockError::Error(_)) => return Ok((file, false)),
        }
    }
    Ok((opened(path)?, false))
}

fn is_at(path: &Path, file: &File) -> bool {
    let of_path = path.metadata().map(|metadata| metadata.ino());
    let of_file = file.metadata().map(|metadata| metadata.ino());
    matches!((of_path, of_file), (Ok(one), Ok(other)) if one == other)
}

fn opened(path: &Path) -> io::Result<File> {
    // A pipe in its place would block, and a device keeps nothing.
    let is_other = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    if is_other {
        return Err(io::Error::other("it is not a regular file"));
    }
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

fn read_end(file: &mut File) -> io::Result<String> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the end of a text that has the newest lines.
fn newest_lines(text: &str) -> &str {
    let ends = text.match_indices('\n').rev();
    let before = ends.map(|(at, _)| at + 1).nth(MOST_LINES);
    &text[before.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_the_end() {
        assert_eq!(newest_lines(""), "");
        assert_eq!(newest_lines("a\nb\n"), "a\nb\n");
        let all: String = (0..MOST_LINES + 5).map(|n| format!("{n}\n")).collect();
        let newest = newest_lines(&all);
        assert_eq!(newest.lines().count(), MOST_LINES);
        assert!(newest.starts_with("5\n"), "{}", &newest[..10]);
    }

    /// Returns a path in a new folder.
    fn new_path() -> PathBuf {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().simple().to_string());
        folder.join("metaia").join("connect-history")
    }

    #[test]
    fn several_processes_lose_no_line_of_each_other() {
        let path = new_path();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let old: String = (0..MOST_LINES + 50).map(|n| format!("{n}\n")).collect();
        HistoryFile::open(path.clone()).unwrap();
        std::fs::write(&path, old).unwrap();
        std::thread::scope(|scope| {
            for process in ["a", "b", "c"] {
                let path = path.clone();
                scope.spawn(move || {
                    for n in 0..20 {
                        let (file, _) = HistoryFile::open(path.clone()).unwrap();
                        file.append(&format!("{process}{n}")).unwrap();
                    }
                });
            }
        });
        let (_, text) = HistoryFile::open(path.clone()).unwrap();
        let kept = lines(&text);
        assert_eq!(kept.len(), MOST_LINES);
        for process in ["a", "b", "c"] {
            let expected: Vec<String> = (0..20).map(|n| format!("{process}{n}")).collect();
            let own = kept.iter().filter(|line| line.starts_with(process));
            assert_eq!(own.cloned().collect::<Vec<_>>(), expected);
        }
        assert_eq!(lines(&std::fs::read_to_string(&path).unwrap()), kept);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(path.ancestors().nth(2).unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let error = HistoryFile::open("/dev/null".into()).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
    }
}
