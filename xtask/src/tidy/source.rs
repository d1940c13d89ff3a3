//! A Rust file of the workspace.

use super::test_code::{is_in_test_folder, without_tests};
use super::tokens::{Token, tokens};

/// A file's path from the root, with `/`, and its text.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    /// True if only test builds have it.
    pub(super) is_test: bool,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let path = path.to_owned();
        let text = text.to_owned();
        let is_test = is_in_test_folder(&path);
        Self {
            path,
            text,
            is_test,
        }
    }

    /// Returns the tokens that a build without tests has; a file of tests has none.
    pub(super) fn live_tokens(&self) -> Vec<Token<'_>> {
        if self.is_test {
            return Vec::new();
        }
        without_tests(&tokens(&self.text))
    }

    /// Returns the lines of code with their numbers from 1. Lines of comment are left out, a
    /// comment behind code is not.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim_start()));
        numbered.filter(|(_, line)| !line.starts_with("//"))
    }
}
