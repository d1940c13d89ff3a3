//! The graph as text, for a reader who wants to see the structure.

use std::collections::BTreeMap;

use super::circles::circles;
use super::imports::{Import, imports};
use super::tree::Tree;

/// Returns the files, circles and arrows between folders of a crate.
pub(super) fn crate_text(tree: &Tree, src: &str) -> String {
    let imports = imports(tree);
    let mut text = format!(
        "{src}: {} files, {} imports\n",
        tree.files.len(),
        imports.len()
    );
    for circle in circles(&imports, tree.files.len()) {
        let names: Vec<&str> = circle.files.iter().map(|file| tree.name(*file)).collect();
        text.push_str(&format!(
            "  circle of {}: {}\n",
            names.len(),
            names.join(", ")
        ));
    }
    for ((from, to), count) in arrows(tree, &imports) {
        text.push_str(&format!("  {from} → {to}: {count}\n"));
    }
    text
}

/// Counts the imports between the folders of the root. A loose file counts as a folder.
fn arrows<'a>(tree: &Tree<'a>, imports: &[Import]) -> BTreeMap<(&'a str, &'a str), usize> {
    let mut arrows = BTreeMap::new();
    for import in imports {
        let from = folder(tree.name(import.from));
        let to = folder(tree.name(import.to));
        if from != to {
            *arrows.entry((from, to)).or_default() += 1;
        }
    }
    arrows
}

fn folder(name: &str) -> &str {
    let end = name.find('/').map_or(name.len(), |slash| slash + 1);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::Source;

    #[test]
    fn circles_and_arrows_are_shown() {
        let sources = [
            Source::new("x/src/lib.rs", "mod a; mod b;"),
            Source::new("x/src/a/mod.rs", "mod c; use crate::b::B; pub struct A;"),
            Source::new("x/src/a/c.rs", "use crate::b::B;"),
            Source::new("x/src/b.rs", "use crate::a::A; pub struct B;"),
        ];
        let text = crate_text(&Tree::read(&sources, "x/src/"), "x/src/");
        assert_eq!(
            text,
            "x/src/: 4 files, 3 imports\n  circle of 2: a/mod.rs, b.rs\n  a/ → b.rs: 2\n  \
             b.rs → a/: 1\n"
        );
    }
}
