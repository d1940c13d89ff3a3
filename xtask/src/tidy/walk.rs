//! The workspace's Rust files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::layers::Tree;
use super::source::Source;
use crate::paths::root;
use crate::shell::read;

pub(super) fn sources() -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    collect(root(), &mut sources)?;
    sources.sort_by(|a: &Source, b| a.path.cmp(&b.path));
    mark_tests(&mut sources);
    Ok(sources)
}

/// Marks the files that only `#[cfg(test)]` modules reach.
fn mark_tests(sources: &mut [Source]) {
    let live: BTreeSet<String> = packages(sources)
        .iter()
        .flat_map(|src| live_paths(sources, src))
        .collect();
    for source in sources {
        // A program beside a library is a crate of its own, which no module of the library reaches.
        let is_module = source.path.contains("/src/") && !source.path.ends_with("/src/main.rs");
        source.is_test |= is_module && !live.contains(&source.path);
    }
}

/// Returns the folders of sources: `metaia-cli/src/` and so on.
fn packages(sources: &[Source]) -> BTreeSet<String> {
    let roots = sources.iter().filter_map(|source| {
        let path = source
            .path
            .strip_suffix("lib.rs")
            .or(source.path.strip_suffix("main.rs"))?;
        path.ends_with("/src/").then(|| path.to_owned())
    });
    roots.collect()
}

fn live_paths(sources: &[Source], src: &str) -> Vec<String> {
    let tree = Tree::read(sources, src);
    tree.live_files()
        .iter()
        .map(|file| file.path.clone())
        .collect()
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
            into.push(Source::new(&short, &read(&path)?));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_only_tests_reach_are_marked() {
        let mut sources = [
            Source::new("a/src/lib.rs", "mod b; #[cfg(test)] mod testing;"),
            Source::new("a/src/main.rs", ""),
            Source::new("a/src/b.rs", ""),
            Source::new("a/src/testing.rs", ""),
            Source::new("a/benches/c.rs", ""),
            Source::new("tests/src/lib.rs", ""),
        ];
        mark_tests(&mut sources);
        let tests = sources.iter().filter(|source| source.is_test);
        let paths: Vec<&str> = tests.map(|source| source.path.as_str()).collect();
        assert_eq!(
            paths,
            ["a/src/testing.rs", "a/benches/c.rs", "tests/src/lib.rs"]
        );
    }
}
