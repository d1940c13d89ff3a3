//! The imports between a crate's files: which file names something that another file defines.

use std::collections::BTreeMap;

use super::module::{Module, Use};
use super::tree::Tree;

/// One file names something of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The first line of `from` that does so.
    pub(super) line: usize,
}

/// Returns each pair of files once, with the first line.
pub(super) fn imports(tree: &Tree) -> Vec<Import> {
    let mut lines: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for module in tree.modules.values() {
        for (to, line) in of_module(tree, module) {
            let first = lines.entry((module.file, to)).or_insert(line);
            *first = line.min(*first);
        }
    }
    let pairs = lines.into_iter().filter(|((from, to), _)| from != to);
    pairs
        .map(|((from, to), line)| Import { from, to, line })
        .collect()
}

fn of_module(tree: &Tree, module: &Module) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (segments, line) in &module.paths {
        found.extend(tree.file_of(module, segments).map(|file| (file, *line)));
    }
    for brought in &module.uses {
        found.extend(of_use(tree, module, brought));
        if brought.is_glob() {
            found.extend(of_glob(tree, module, brought));
        }
    }
    found
}

fn of_use(tree: &Tree, module: &Module, brought: &Use) -> Option<(usize, usize)> {
    let file = tree.file_of(module, &brought.segments)?;
    if !is_table_of_contents(tree, module, brought) {
        return Some((file, brought.line));
    }
    // The module that publishes a name may need it, too.
    let line = module.words.get(&brought.name)?;
    Some((file, *line))
}

/// Returns true for `pub use child::Name`: it says what the folder holds, and needs none of it.
fn is_table_of_contents(tree: &Tree, module: &Module, brought: &Use) -> bool {
    let mut segments = brought
        .segments
        .iter()
        .skip_while(|segment| *segment == "self");
    let child = segments.next().map(|first| module.child_path(first));
    brought.is_public && child.is_some_and(|child| tree.modules.contains_key(&child))
}

/// Returns the files of the names in code that only the glob import explains.
fn of_glob(tree: &Tree, module: &Module, glob: &Use) -> Vec<(usize, usize)> {
    let firsts = module
        .paths
        .iter()
        .filter_map(|(path, line)| Some((path.first()?, line)));
    let names = module.words.iter().chain(firsts);
    let unexplained = names.filter(|(name, _)| !module.items.contains(*name));
    let found = unexplained.filter_map(|(name, line)| {
        let file = tree.file_by_glob(module, glob, name)?;
        Some((file, *line))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::Source;

    /// Checks the imports of a crate of these files, as `from:line to`.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let source = |(name, text): &(&str, &str)| Source::new(&format!("x/src/{name}"), text);
        let sources: Vec<Source> = files.iter().map(source).collect();
        let tree = Tree::read(&sources, "x/src/");
        let shown = imports(&tree).into_iter().map(|import| {
            format!(
                "{}:{} {}",
                tree.name(import.from),
                import.line,
                tree.name(import.to)
            )
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    const LIB: (&str, &str) = ("lib.rs", "mod a; mod b; pub use b::B;");
    const B: (&str, &str) = ("b.rs", "pub struct B;");

    #[test]
    fn an_import_is_a_use_or_a_path() {
        check(&[LIB, ("a.rs", "\nuse crate::B;"), B], &["a.rs:2 b.rs"]);
        check(
            &[LIB, ("a.rs", "fn a(b: crate::b::B) {}"), B],
            &["a.rs:1 b.rs"],
        );
        check(
            &[LIB, ("a.rs", "fn a(b: super::B) {}"), B],
            &["a.rs:1 b.rs"],
        );
        check(
            &[LIB, ("a.rs", "use super::b;\nfn a(b: b::B) {}"), B],
            &["a.rs:1 b.rs"],
        );
    }

    #[test]
    fn a_glob_is_an_import_of_what_it_brings() {
        let a = ("a.rs", "use crate::*;\nfn a() { B }");
        check(&[LIB, a, B], &["a.rs:1 lib.rs", "a.rs:2 b.rs"]);
        check(&[LIB, ("a.rs", "use crate::b::*;"), B], &["a.rs:1 b.rs"]);
    }

    #[test]
    fn names_in_texts_comments_and_tests_are_none() {
        let a =
            "// crate::b::B\nconst A: &str = \"crate::B\";\n#[cfg(test)] mod t { use crate::B; }";
        check(&[LIB, ("a.rs", a), B], &[]);
    }

    #[test]
    fn a_folder_that_publishes_a_name_imports_it_only_if_it_needs_it() {
        let publishes = [("lib.rs", "mod b;\npub use b::B;"), B];
        check(&publishes, &[]);
        let needs = [("lib.rs", "mod b;\npub use b::B;\nfn a() -> B {}"), B];
        check(&needs, &["lib.rs:3 b.rs"]);
        let private = [("lib.rs", "mod b;\nuse b::B;"), B];
        check(&private, &["lib.rs:2 b.rs"]);
    }
}
