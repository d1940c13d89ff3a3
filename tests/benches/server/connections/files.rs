//! The number of processes that so many connections need.

use std::fs;

/// Files of a process that are no connections of clients.
const OTHERS: usize = 500;

/// Returns the number of processes in which so many connections fit, by the number of files that
/// this process and its children may open.
pub(super) fn processes(connections: usize) -> usize {
    let limits = fs::read_to_string("/proc/self/limits").expect("/proc/self/limits");
    let files = open_files(&limits).unwrap_or(usize::MAX);
    let each = files.saturating_sub(OTHERS);
    assert!(
        each >= OTHERS,
        "a process may open {files} files only: raise `ulimit -n`"
    );
    connections.div_ceil(each).max(1)
}

/// Reads the first number of the line `Max open files  SOFT  HARD  files`. Returns nothing if there
/// is no limit.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
