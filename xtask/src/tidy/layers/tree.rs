//! The module tree of a crate: begins with `lib.rs` or `main.rs` and follows `mod x;`.
//!
//! Files that only test builds reach are not in it, since `#[cfg(test)]` is left out before.

use std::collections::BTreeMap;

use super::module::{Declared, Module, ModulePath};
use super::parse::modules;
use crate::tidy::source::Source;
use crate::tidy::test_code::without_tests;
use crate::tidy::tokens::{Token, tokens};

/// A crate's modules and files.
#[derive(Debug, Default)]
pub(in crate::tidy) struct Tree<'a> {
    /// The files that the modules reach.
    pub(super) files: Vec<&'a Source>,
    pub(super) modules: BTreeMap<ModulePath, Module>,
    /// The length of the path of the `src` folder, with its slash.
    src: usize,
    has_tests: bool,
}

impl<'a> Tree<'a> {
    /// Reads the crate whose files are below the folder `src`, which ends with a slash, as a build
    /// without tests sees it.
    pub(in crate::tidy) fn read(sources: &'a [Source], src: &str) -> Self {
        let empty = Tree {
            src: src.len(),
            ..Tree::default()
        };
        empty.filled(sources, src)
    }

    /// Reads the crate with its tests.
    pub(super) fn read_with_tests(sources: &'a [Source], src: &str) -> Self {
        let empty = Tree {
            src: src.len(),
            has_tests: true,
            ..Tree::default()
        };
        empty.filled(sources, src)
    }

    fn filled(mut self, sources: &'a [Source], src: &str) -> Self {
        let by_path: BTreeMap<&str, &Source> = sources
            .iter()
            .map(|source| (source.path.as_str(), source))
            .collect();
        let root = ["lib.rs", "main.rs"].map(|name| by_path.get(format!("{src}{name}").as_str()));
        if let Some(root) = root.into_iter().flatten().next() {
            self.add(root, Vec::new(), &by_path);
        }
        self
    }

    /// Adds a file, then the files of the modules that it declares.
    fn add(&mut self, source: &'a Source, path: ModulePath, files: &BTreeMap<&str, &'a Source>) {
        let file = self.files.len();
        self.files.push(source);
        for module in modules(&self.tokens(source), &path, file) {
            let inside = module.path[path.len()..].join("/");
            for declared in &module.declared {
                if let Some(child) = child_file(&source.path, &inside, declared, files) {
                    self.add(child, module.child_path(&declared.name), files);
                }
            }
            self.modules.insert(module.path.clone(), module);
        }
    }

    fn tokens(&self, source: &'a Source) -> Vec<Token<'a>> {
        let all = tokens(&source.text);
        if self.has_tests {
            all
        } else {
            without_tests(&all)
        }
    }

    /// Returns a file's path below `src`.
    pub(super) fn name(&self, file: usize) -> &'a str {
        &self.files[file].path[self.src..]
    }

    /// Returns the files that the modules reach.
    pub(in crate::tidy) fn live_files(&self) -> &[&'a Source] {
        &self.files
    }
}

/// Returns the file of a module that `parent` declares, in its inline module `inside` if any.
fn child_file<'a>(
    parent: &str,
    inside: &str,
    declared: &Declared,
    files: &BTreeMap<&str, &'a Source>,
) -> Option<&'a Source> {
    if let Some(path) = &declared.path {
        let (folder, _) = parent.rsplit_once('/').unwrap_or_default();
        return files.get(format!("{folder}/{path}").as_str()).copied();
    }
    let mut folder = own_folder(parent);
    if !inside.is_empty() {
        folder = format!("{folder}{inside}/");
    }
    let flat = format!("{folder}{}.rs", declared.name);
    let nested = format!("{folder}{}/mod.rs", declared.name);
    files
        .get(flat.as_str())
        .or_else(|| files.get(nested.as_str()))
        .copied()
}

/// Returns the folder in which a file's modules are: its own for `mod.rs`, `x/` for `x.rs`.
fn own_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/"),
        _ => format!("{folder}/{}/", name.trim_end_matches(".rs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_both_conventions_and_in_braces() {
        let sources = [
            Source::new(
                "x/src/lib.rs",
                "mod a; mod b; mod c { mod d; }\n
                #[cfg(test)] mod t; #[path = \"g/h.rs\"] mod i; mod j;",
            ),
            Source::new("x/src/a/mod.rs", "mod e;"),
            Source::new("x/src/a/e.rs", ""),
            Source::new("x/src/b.rs", "mod f;"),
            Source::new("x/src/b/f.rs", ""),
            Source::new("x/src/c/d.rs", ""),
            Source::new("x/src/t.rs", ""),
            Source::new("x/src/g/h.rs", ""),
            Source::new("x/src/j.rs", ""),
        ];
        let tree = Tree::read(&sources, "x/src/");
        let names: Vec<&str> = (0..tree.files.len()).map(|file| tree.name(file)).collect();
        assert_eq!(
            names,
            [
                "lib.rs", "a/mod.rs", "a/e.rs", "b.rs", "b/f.rs", "g/h.rs", "j.rs", "c/d.rs"
            ]
        );
        let paths: Vec<String> = tree.modules.keys().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["", "a", "a::e", "b", "b::f", "c", "c::d", "i", "j"]);
    }
}
