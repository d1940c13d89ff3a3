//! The workspace's Rust files.

use std::path::{Path, PathBuf};

use super::test_code::{is_in_test_folder, without_tests};
use super::tokens::{Token, tokens};
use crate::paths::root;
use crate::shell::read;

/// A file's path from the root, with `/`, and its text.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Returns the tokens that a build without tests has; a file of tests has none.
    pub(super) fn live_tokens(&self) -> Vec<Token<'_>> {
        if is_in_test_folder(&self.path) {
            return Vec::new();
        }
        without_tests(&tokens(&self.text))
    }

    /// Returns the lines of code with their numbers from 1: comments are left out, the end of a line of code is not.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim_start()));
        numbered.filter(|(_, line)| !line.starts_with("//"))
    }
}

pub(super) fn sources() -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    collect(root(), &mut sources)?;
    sources.sort_by(|a: &Source, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(folder: &Path, into: &mut Vec<Source>) -> Result<(), String> {
    for path in children(folder)? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            let foreign =
                name.starts_with('.') || ["target", "node_modules"].contains(&name.as_str());
            if !foreign {
                collect(&path, into)?;
            }
        } else if name.ends_with(".rs") {
            let short = path
                .strip_prefix(root())
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            into.push(Source {
                path: short,
                text: read(&path)?,
            });
        }
    }
    Ok(())
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(named)?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(named))
        .collect()
}
