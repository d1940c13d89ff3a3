//! Finds files that no module declares: dead code, which no other check looks at.

use super::tree::Tree;
use crate::tidy::source::Source;

/// Returns a finding for each file below `src` that neither the program nor its tests reach.
pub(super) fn check(sources: &[Source], src: &str) -> Vec<String> {
    let tree = Tree::read_with_tests(sources, src);
    let is_reached = |source: &Source| tree.files.iter().any(|file| file.path == source.path);
    let inside = sources.iter().filter(|source| is_module(&source.path, src));
    let lost = inside.filter(|source| !is_reached(source));
    lost.map(|source| format!("{}: no `mod` declares it", source.path))
        .collect()
}

/// Returns true for a file below `src` that is no program of its own.
fn is_module(path: &str, src: &str) -> bool {
    let name = path.strip_prefix(src);
    name.is_some_and(|name| name != "main.rs" && !name.starts_with("bin/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_declaration_is_found() {
        let sources = [
            Source::new("x/src/lib.rs", "mod a; #[cfg(test)] mod tests;"),
            Source::new("x/src/main.rs", ""),
            Source::new("x/src/a.rs", ""),
            Source::new("x/src/tests.rs", ""),
            Source::new("x/src/c.rs", ""),
            Source::new("x/tests/it/d.rs", ""),
        ];
        assert_eq!(
            check(&sources, "x/src/"),
            ["x/src/c.rs: no `mod` declares it"]
        );
    }
}
