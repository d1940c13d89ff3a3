//! The lines that were typed in this run and in earlier ones.
//!
//! They are in one file of the user's state folder, one text in a line, for all runs of `connect`.
//! Each line is appended when it is typed, so that runs at the same time lose no line of each
//! other. Only what [`is_kept`] allows is written. A file that cannot be used is a note and no
//! error.

mod file;
mod kept;

use std::path::PathBuf;

use crate::user_folders;
use file::HistoryFile;
pub(super) use kept::MOST_LINES;
use kept::{is_kept, read_line, written};

/// The history of earlier runs, and the place for that of this run.
#[derive(Debug)]
pub(super) struct History {
    /// `None` if nothing can be kept.
    file: Option<HistoryFile>,
    lines: Vec<String>,
}

impl History {
    /// Reads the lines of earlier runs. Returns also the reason why there is no place for those of
    /// this run.
    pub(super) fn open() -> (Self, Option<String>) {
        let opened = path().and_then(|path| {
            let shown = path.display().to_string();
            HistoryFile::open(path).map_err(|error| format!("{shown}: {error}"))
        });
        match opened {
            Ok((file, text)) => {
                let history = Self {
                    lines: text.lines().map(read_line).collect(),
                    file: Some(file),
                };
                (history, None)
            }
            Err(reason) => {
                let history = Self {
                    file: None,
                    lines: Vec::new(),
                };
                (history, Some(reason))
            }
        }
    }

    /// Returns the lines of earlier runs, the oldest first.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Keeps a line for later runs, if it is one to be kept.
    pub(super) fn keep(&self, line: &str) {
        if !is_kept(line) {
            return;
        }
        if let Some(file) = &self.file {
            // A disk that has become full must not interrupt the typing.
            let _ = file.append(&written(line));
        }
    }
}

/// Returns the path of the file.
fn path() -> Result<PathBuf, String> {
    let folder = user_folders::state().ok_or("there is no folder for it: HOME is not set")?;
    Ok(folder.join("connect-history"))
}
