//! The figures of the files of a crate, without its tests.

use crate::tidy::doc_opening::openings;
use crate::tidy::function_length::is_long;
use crate::tidy::functions::functions;
use crate::tidy::source::Source;
use crate::tidy::test_code::{test_items, without_tests};
use crate::tidy::tokens::tokens;
use crate::tidy::{tuple_assignment, width};

/// The counts of one or more files.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Measured {
    /// The lines of each file.
    pub(super) lengths: Vec<usize>,
    pub(super) functions: usize,
    pub(super) long_functions: usize,
    pub(super) wide_lines: usize,
    pub(super) tuple_assignments: usize,
    pub(super) documented_functions: usize,
    pub(super) asking_docs: usize,
}

impl Measured {
    /// Counts what is in one file.
    pub(super) fn of(source: &Source) -> Self {
        let live = without_tests(&tokens(&source.text));
        let lines = live_lines(source);
        let functions = functions(&live);
        let openings = openings(&live);
        Self {
            lengths: Vec::from([lines.len()]),
            functions: functions.len(),
            long_functions: functions
                .iter()
                .filter(|found| is_long(found.length))
                .count(),
            wide_lines: lines.iter().filter(|line| width::is_wide(line)).count(),
            tuple_assignments: tuple_assignment::lines(&live).len(),
            documented_functions: openings.len(),
            asking_docs: openings.iter().filter(|opening| opening.asks()).count(),
        }
    }

    /// Adds the counts of other files.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.lengths.extend(&other.lengths);
        self.functions += other.functions;
        self.long_functions += other.long_functions;
        self.wide_lines += other.wide_lines;
        self.tuple_assignments += other.tuple_assignments;
        self.documented_functions += other.documented_functions;
        self.asking_docs += other.asking_docs;
        self
    }

    pub(super) fn lines(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Returns the median length of a file.
    pub(super) fn median_length(&self) -> usize {
        let mut sorted = self.lengths.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    }
}

/// Returns the lines of a file that do not belong to tests.
fn live_lines(source: &Source) -> Vec<&str> {
    let tokens = tokens(&source.text);
    let mut is_test = vec![false; source.text.lines().count() + 2];
    for item in test_items(&tokens) {
        let item = &tokens[item];
        let first = item.first().map_or(0, |token| token.line);
        let last = item.last().map_or(0, |token| token.last_line());
        is_test[first..=last].fill(true);
    }
    let numbered = source.text.lines().enumerate();
    numbered
        .filter(|(index, _)| !is_test[index + 1])
        .map(|(_, line)| line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "//! A.\n\n/// What it is.\nfn a() {\n    let (b, c) = (1, 2);\n}\n\
        /// Is.\nfn b() {}\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";

    #[test]
    fn a_file_is_counted_without_its_tests() {
        let expected = Measured {
            lengths: Vec::from([8]),
            functions: 2,
            tuple_assignments: 1,
            documented_functions: 2,
            asking_docs: 1,
            ..Measured::default()
        };
        assert_eq!(Measured::of(&Source::new("a/src/b.rs", FILE)), expected);
    }

    #[test]
    fn counts_are_added() {
        let one = Measured::of(&Source::new("a/src/b.rs", FILE));
        let other = Measured::of(&Source::new("a/src/b.rs", "fn a() {}\n"));
        let both = one.and(&other).and(&other);
        assert_eq!(both.lines(), 10);
        assert_eq!(both.median_length(), 1);
        assert_eq!(both.functions, 4);
    }
}
