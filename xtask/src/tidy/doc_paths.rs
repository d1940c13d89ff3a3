//! The pages name files that exist: every relative link, and every source file in backticks.

use std::path::Path;

use super::source::Source;
use crate::shell::read;

/// The pages in the root, beside those in `docs/`.
const PAGES: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
];

/// The names that stand for any file.
const EXAMPLES: [&str; 2] = ["x.rs", "x/mod.rs"];

/// Checks the pages of the workspace at `root`, whose Rust files are `sources`.
pub(super) fn check(root: &Path, sources: &[Source]) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    for page in pages(root)? {
        let text = read(&root.join(&page))?;
        let folder = root.join(&page).parent().unwrap_or(root).to_owned();
        for link in links(&text).filter(|link| !folder.join(link).exists()) {
            wrong.push(format!("{page}: the link to {link} leads nowhere"));
        }
        for file in source_files(&text).filter(|file| !is_known(file, sources)) {
            wrong.push(format!("{page}: there is no {file}"));
        }
    }
    Ok(wrong)
}

fn pages(root: &Path) -> Result<Vec<String>, String> {
    let named = |error: std::io::Error| format!("docs: {error}");
    let mut pages: Vec<String> = PAGES.map(str::to_owned).to_vec();
    for entry in std::fs::read_dir(root.join("docs")).map_err(named)? {
        let name = entry.map_err(named)?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    Ok(pages)
}

/// Returns the targets of relative links, without their anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    let files = targets.filter_map(|target| target.split('#').next());
    files.filter(|file| !file.is_empty() && !file.contains("://") && !file.contains(' '))
}

/// Returns the names of Rust files in backticks, with the folders that are given with them.
fn source_files(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let files = quoted.filter(|name| name.ends_with(".rs") && !name.contains([' ', '{', '*', '<']));
    files.filter(|name| !EXAMPLES.contains(name))
}

/// Returns true if the path of a source ends with these folders and this name.
fn is_known(file: &str, sources: &[Source]) -> bool {
    let ending = format!("/{file}");
    sources
        .iter()
        .any(|source| source.path == file || source.path.ends_with(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_links_are_found() {
        let text = "[a](docs/a.md#part), [b](https://b.example/c.md), [c](#here), [d](../LICENSE)";
        assert_eq!(links(text).collect::<Vec<_>>(), ["docs/a.md", "../LICENSE"]);
    }

    #[test]
    fn source_files_in_backticks_are_found() {
        let text = "`node/drain.rs`, `drain.rs (ends it)`, `x.rs`, drain.rs\n`a` and `b/{c,d}.rs`";
        assert_eq!(source_files(text).collect::<Vec<_>>(), ["node/drain.rs"]);
    }

    #[test]
    fn a_file_is_known_by_the_end_of_its_path() {
        let sources = [Source::new("realtime/src/node/drain.rs", "")];
        for known in ["drain.rs", "node/drain.rs", "realtime/src/node/drain.rs"] {
            assert!(is_known(known, &sources), "{known}");
        }
        for unknown in ["rain.rs", "api/drain.rs", "node/"] {
            assert!(!is_known(unknown, &sources), "{unknown}");
        }
    }
}
